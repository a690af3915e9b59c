import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, expect } from 'vitest';
import { rootDir } from '../../tools/paths.ts';
import { type CommandOptions, type Finished, RunningCommand } from './command.ts';
import { assertNothingLeft, type HostState, hostState, podDirectories } from './leaks.ts';
import { eventually } from './polling.ts';
import { ProcessScope } from './process-scope.ts';
import { noneIsMade, shareTemplates, TEMPLATES_EVERYWHERE } from './templates.ts';

export const RKT = join(rootDir, 'bin', 'rkt');

/** One pod as `rkt list --format=json` tells it. */
export interface ListedPod {
  readonly name: string;
  readonly state: string;
  readonly networks?: readonly { readonly netName: string; readonly ip: string }[];
  readonly app_names?: readonly string[];
  readonly apps?: readonly {
    readonly name: string;
    readonly state: string;
    readonly exit_code?: number;
    readonly image_id?: string;
  }[];
}

export interface RktOptions extends CommandOptions {
  /** Of `--insecure-options`. Images of most tests are not signed, so that it is `image`; `none` is rkt's own default. */
  readonly insecure?: string;
}

/**
 * The built `rkt` on a data directory and configuration of its own, as a user's own machine would be.
 * `close` asserts that nothing of it is left.
 */
export class RktHome {
  readonly scope = new ProcessScope();
  readonly root = mkdtempSync(join(tmpdir(), 'rkt-home-'));
  readonly dir = join(this.root, 'data');
  readonly localConfig = join(this.root, 'etc');
  readonly systemConfig = join(this.root, 'lib');
  readonly #before: HostState = hostState();
  readonly #pods = new Set<string>();

  /** `stage1`: the image of the one that pods have unless they are told another; the command's own default if it is not given. */
  constructor(stage1?: string) {
    for (const path of [this.localConfig, this.systemConfig, this.path('tmp')]) mkdirSync(path);
    const { RKT_TEST_ROOTFS: rootfs } = process.env;
    if (rootfs !== undefined) this.configure('vm', { rootfs });
    if (TEMPLATES_EVERYWHERE) shareTemplates(this);
    if (stage1 !== undefined) this.configure('stage1', { location: stage1 });
  }

  /** Writes a file of the local configuration, whose kind has a directory of its name. */
  configure(kind: string, settings: object): void {
    const directory = join(this.localConfig, `${kind}.d`);
    mkdirSync(directory, { recursive: true });
    const text = JSON.stringify({ rktKind: kind, rktVersion: 'v1', ...settings });
    writeFileSync(join(directory, `test-${kind}.json`), text);
  }

  /** A path in the home's scratch directory. */
  path(name: string): string {
    return join(this.root, name);
  }

  /** The whole argv of a command line, global flags first. */
  argv(args: readonly string[], insecure = 'image'): string[] {
    const flags = [
      `--dir=${this.dir}`,
      `--local-config=${this.localConfig}`,
      `--system-config=${this.systemConfig}`,
      `--insecure-options=${insecure}`,
    ];
    return [RKT, ...flags, ...args];
  }

  start(args: readonly string[], options: RktOptions = {}): RunningCommand {
    return this.startArgv(this.argv(args, options.insecure), options);
  }

  /** Any command, in this home's scope: a leftover of it is found all the same. */
  startArgv(argv: readonly string[], options: CommandOptions = {}): RunningCommand {
    const env = { TMPDIR: this.path('tmp'), ...options.env };
    const command = new RunningCommand(this.scope, argv, { ...options, env });
    command.finished.then(
      () => this.notePods(),
      () => {},
    );
    return command;
  }

  async run(args: readonly string[], options: RktOptions = {}): Promise<Finished> {
    return await this.start(args, options).finished;
  }

  /** Runs a command that must succeed; gives its standard output. */
  async output(args: readonly string[], options: RktOptions = {}): Promise<string> {
    const { code, stdout, stderr } = await this.run(args, options);
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
    return stdout;
  }

  async list(): Promise<ListedPod[]> {
    const pods: unknown = JSON.parse(await this.output(['list', '--full', '--format=json']));
    return parseListed(pods);
  }

  /** Remembers the pods that exist, so that what is named after them is looked for when they are gone. */
  notePods(): ReadonlySet<string> {
    for (const path of podDirectories(this.dir)) this.#pods.add(basename(path));
    return this.#pods;
  }

  async close(): Promise<void> {
    try {
      this.notePods();
      await noneIsMade(this);
      await this.output(['gc', '--grace-period=0s', '--expire-prepared=0s']);
      await assertNothingLeft(this.#before, this.scope, this.dir, this.#pods);
    } finally {
      this.scope.killAll();
      rmSync(this.root, { recursive: true, force: true });
      await eventually('the scope is empty', () => this.scope.remove());
    }
  }
}

/** A home for the tests of one file; after the last of them nothing of it may be left. */
export function useRkt(stage1?: string): RktHome {
  const home = new RktHome(stage1);
  afterAll(() => home.close());
  return home;
}

/** Waits for the UUID that `--uuid-file-save` wrote. */
export function savedUuid(path: string): string | undefined {
  try {
    return /^[0-9a-f-]{36}$/.exec(readFileSync(path, 'utf8').trim())?.[0];
  } catch {
    return undefined;
  }
}

function parseListed(value: unknown): ListedPod[] {
  if (value === null) return [];
  expect(value).toBeInstanceOf(Array);
  return value as ListedPod[];
}
