import { chmodSync, chownSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { Finished } from './command.ts';
import type { RktHome, RktOptions } from './rkt.ts';

/** Ids that no Debian gives out by itself. */
const GROUP_ID = 64_123;
const MEMBER = { uid: 64_201, gid: 64_201 };

/**
 * A host that has the group `rkt`, as its package would have made it: commands run in a mount namespace of their own, where
 * `/etc/group` has it. Nothing of the machine's is changed.
 */
export class GroupHost {
  readonly groupId = GROUP_ID;
  readonly #home: RktHome;
  readonly #groupFile: string;

  constructor(home: RktHome) {
    this.#home = home;
    this.#groupFile = home.path('group');
    writeFileSync(this.#groupFile, `${readFileSync('/etc/group', 'utf8')}rkt:x:${GROUP_ID}:somebody\n`);
    chmodSync(this.#groupFile, 0o644);
    // Users come this way.
    for (const path of [home.root, home.path('tmp')]) chmodSync(path, 0o777);
    // As rkt makes it.
    if (!existsSync(home.dir)) return;
    chownSync(home.dir, 0, GROUP_ID);
    chmodSync(home.dir, 0o2750);
  }

  root(args: readonly string[], options: RktOptions = {}): Promise<Finished> {
    return this.#run([], this.#home.argv(args, options.insecure), options);
  }

  /** Somebody who is in the group. */
  member(args: readonly string[], options: RktOptions = {}): Promise<Finished> {
    return this.#run(as(MEMBER, `--groups=${GROUP_ID}`), this.#home.argv(args, options.insecure), options);
  }

  /** Somebody who is not. */
  stranger(args: readonly string[], options: RktOptions = {}): Promise<Finished> {
    return this.#run(as(MEMBER, '--clear-groups'), this.#home.argv(args, options.insecure), options);
  }

  /** What somebody in the group can do without rkt. */
  memberShell(script: string): Promise<Finished> {
    return this.#run(as(MEMBER, `--groups=${GROUP_ID}`), ['/bin/sh', '-ec', script], {});
  }

  #run(user: readonly string[], argv: readonly string[], options: RktOptions): Promise<Finished> {
    const mount = 'mount --bind "$0" /etc/group && exec "$@"';
    const inside = ['unshare', '--mount', 'sh', '-c', mount, this.#groupFile, ...user, ...argv];
    return this.#home.startArgv(inside, options).finished;
  }
}

const as = ({ uid, gid }: typeof MEMBER, groups: string): readonly string[] => [
  'setpriv',
  `--reuid=${uid}`,
  `--regid=${gid}`,
  groups,
];
