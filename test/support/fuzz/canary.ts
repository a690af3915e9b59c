import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { Surroundings } from './hostile-names.ts';

const FILES = ['secret', 'directory/file', 'directory/deep/file'];

/**
 * Files around a store that no image may touch. A change of any kind, be it of content, attributes, names or links, changes a
 * file's or directory's ctime, which nobody can set back.
 */
export class Canary implements Surroundings {
  readonly outside: string;
  readonly token: string;
  readonly #paths: readonly string[];
  readonly #before: string;

  /** `base` holds the store and the input; what else appears there, or in one of its parents, is an escape. */
  constructor(base: string) {
    this.outside = join(base, 'outside');
    this.token = `escaped-${process.pid}`;
    mkdirSync(join(this.outside, 'directory/deep'), { recursive: true });
    for (const file of FILES) writeFileSync(join(this.outside, file), file);
    symlinkSync('secret', join(this.outside, 'link'));
    const names = ['', 'directory', 'directory/deep', 'link', ...FILES];
    this.#paths = names.map((name) => join(this.outside, name));
    this.#before = this.#state();
    this.#base = base;
    this.#names = readdirSync(base);
  }

  readonly #base: string;
  readonly #names: readonly string[];

  /** What was touched, if anything. `allowed` are the names that the caller itself has put into the base. */
  touched(allowed: readonly string[]): string | undefined {
    if (this.#state() !== this.#before) return `${this.outside} was changed`;
    const expected = new Set([...this.#names, ...allowed]);
    const foreign = readdirSync(this.#base).find((name) => !expected.has(name));
    if (foreign !== undefined) return `${foreign} was made in ${this.#base}`;
    return parentsOf(this.#base)
      .map((parent) => join(parent, this.token))
      .find((path) => existsSync(path));
  }

  #state(): string {
    const stamps = this.#paths.map((path) => {
      const { ino, ctimeNs, mtimeNs, nlink, mode } = lstatSync(path, { bigint: true });
      return [ino, ctimeNs, mtimeNs, nlink, mode].join(' ');
    });
    return [...stamps, ...FILES.map((file) => readFileSync(join(this.outside, file), 'utf8'))].join('\n');
  }
}

function parentsOf(path: string): string[] {
  const parent = dirname(path);
  return parent === path ? [path] : [parent, ...parentsOf(parent)];
}
