import { readFileSync } from 'node:fs';
import { TestSupportError } from './error.ts';
import type { RktHome } from './rkt.ts';

/** What a process has mapped in one piece; sizes in KiB. */
export interface Mapping {
  /** As `rw-p`: p is its own, s is shared. */
  readonly access: string;
  /** Empty: of no file. */
  readonly path: string;
  readonly rss: number;
  /** Of what several share each has its part. */
  readonly pss: number;
}

const HEAD = /^[0-9a-f]+-[0-9a-f]+ (\S+) \S+ \S+ \d+ *(.*)$/m;

export function mappingsOf(pid: number): Mapping[] {
  const texts = readFileSync(`/proc/${pid}/smaps`, 'utf8').split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m);
  return texts.filter((text) => text !== '').map(parseMapping);
}

/** What QEMU calls its guest's memory: a file in memory of a machine that boots, the copy that a restored one has, or a template's. */
export function isGuestMemory({ path }: Mapping): boolean {
  return /^\/memfd:memory-backend|\/memory\/ram$|\/templates\/.*\/memory/.test(path);
}

/** The QEMU of a pod of `rkt`. */
export function qemuOf({ scope }: Pick<RktHome, 'scope'>, uuid: string): number {
  const found = scope.processes().find(({ name, argv }) => name.startsWith('qemu') && argv.includes(uuid));
  if (found === undefined) throw new TestSupportError('BAD_OUTPUT', `no QEMU of ${uuid}`);
  return found.pid;
}

/** Of a QEMU: all that its guest has. */
export function guestMemory(pid: number): Mapping {
  const [found, more] = mappingsOf(pid).filter(isGuestMemory);
  if (found === undefined || more !== undefined)
    throw new TestSupportError('BAD_OUTPUT', `the guest's memory of ${pid} is not one mapping`);
  return found;
}

function parseMapping(text: string): Mapping {
  const [, access = '', path = ''] = HEAD.exec(text) ?? [];
  const field = (name: string) => Number(new RegExp(`^${name}: +(\\d+) kB`, 'm').exec(text)?.[1] ?? 0);
  return { access, path, rss: field('Rss'), pss: field('Pss') };
}
