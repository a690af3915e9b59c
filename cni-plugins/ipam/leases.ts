/**
 * The directory of leases of one network, as the reference plugin has it, so that both can work on one: a file by the name of each
 * address that is taken, with the container's id and its interface; the address given last, of each set of ranges; and a lock.
 */
import { readTextIfPresent, writeFile } from '../../src/native/contents.ts';
import { readdir } from '../../src/native/directories.ts';
import { unless } from '../../src/native/errors.ts';
import { File, lock, open_ } from '../../src/native/files.ts';
import { formatIp, parseIp } from '../../src/native/netlink/ip.ts';
import { mkdirAll, rename, unlink } from '../../src/native/paths.ts';
import { compare, type Ip } from '../ip.ts';

const LOCK = 'lock';
const LAST = 'last_reserved_ip.';
/** What is being written, which is no lease. Whoever has the lock finds it only where somebody was killed. */
const TEMPORARY = 'lease.tmp';
const LINE_BREAK = '\r\n';
const LARGEST = 4096;

interface Owner {
  readonly containerId: string;
  readonly ifName: string;
}

/** Whoever has one has the lock: there is no other. */
export class Leases {
  readonly #directory: string;
  readonly #lock: File;
  readonly #taken: Set<string>;

  private constructor(directory: string, file: File) {
    this.#directory = directory;
    this.#lock = file;
    const names = readdir(directory);
    this.#taken = new Set(names.filter(isAddress));
    if (names.includes(TEMPORARY)) unlink(this.#path(TEMPORARY));
  }

  /** Waits for the lock. */
  static open(directory: string): Leases {
    mkdirAll(directory, 0o755);
    const file = File.open(`${directory}/${LOCK}`, open_.readWrite | open_.create, 0o600);
    lock(file.fd, 'exclusive');
    return new Leases(directory, file);
  }

  /** As open; undefined where nothing was ever taken. */
  static openIfPresent(directory: string): Leases | undefined {
    return unless(['ENOENT', 'ENOTDIR'], () => {
      const file = File.open(`${directory}/${LOCK}`, open_.readWrite | open_.create, 0o600);
      lock(file.fd, 'exclusive');
      return new Leases(directory, file);
    });
  }

  [Symbol.dispose](): void {
    this.#lock[Symbol.dispose]();
  }

  isFree(ip: Ip): boolean {
    return !this.#taken.has(formatIp(ip));
  }

  get count(): number {
    return this.#taken.size;
  }

  /** The file appears with all of its content: a killed plugin leaves no lease without an owner. */
  take(ip: Ip, { containerId, ifName }: Owner): void {
    const name = formatIp(ip);
    this.#write(name, `${containerId}${LINE_BREAK}${ifName}`);
    this.#taken.add(name);
  }

  /** The address that was given last of a set; undefined where none was, or where nobody can tell. */
  last(set: number): Ip | undefined {
    const text = readTextIfPresent(this.#path(`${LAST}${set}`), LARGEST)?.trim() ?? '';
    return isAddress(text) ? parseIp(text) : undefined;
  }

  setLast(set: number, ip: Ip): void {
    this.#write(`${LAST}${set}`, formatIp(ip));
  }

  addressesOf(owner: Owner): Ip[] {
    return this.#namesOf((found) => isSame(found, owner))
      .map(parseIp)
      .sort(compareAny);
  }

  release(owner: Owner): void {
    this.releaseWhere((found) => isSame(found, owner));
  }

  releaseWhere(matches: (owner: Owner) => boolean): void {
    for (const name of this.#namesOf(matches)) {
      unless(['ENOENT'], () => unlink(this.#path(name)));
      this.#taken.delete(name);
    }
  }

  #namesOf(matches: (owner: Owner) => boolean): string[] {
    return [...this.#taken].filter((name) => {
      const text = readTextIfPresent(this.#path(name), LARGEST);
      return text !== undefined && matches(parseOwner(text));
    });
  }

  #write(name: string, content: string): void {
    const temporary = this.#path(TEMPORARY);
    writeFile(temporary, content, 0o600);
    rename(temporary, this.#path(name));
  }

  #path(name: string): string {
    return `${this.#directory}/${name}`;
  }
}

function isAddress(name: string): boolean {
  if (!/^[0-9a-f:.]+$/.test(name) || name === '.' || name === '..') return false;
  try {
    parseIp(name);
    return true;
  } catch {
    return false;
  }
}

/** Old versions of the reference plugin wrote no interface. */
function parseOwner(text: string): Owner {
  const [containerId = '', ifName = ''] = text.trim().split(/\r?\n/);
  return { containerId, ifName };
}

function isSame(found: Owner, { containerId, ifName }: Owner): boolean {
  return found.containerId === containerId && (found.ifName === ifName || found.ifName === '');
}

function compareAny(a: Ip, b: Ip): number {
  return a.length - b.length || compare(a, b);
}
