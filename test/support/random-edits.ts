import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

/** Changes a tree at random, over and over, in the ways that people and package managers do. */
export class RandomEdits {
  readonly #root: string;
  readonly #random: () => number;
  #made = 0;

  /** `first`: names are numbered from there on, so that two that edit one tree do not take the same. */
  constructor(root: string, random: () => number, first: number) {
    this.#root = root;
    this.#random = random;
    this.#made = first;
  }

  apply(count: number): void {
    for (let done = 0; done < count; done++) this.#edit();
  }

  #edit(): void {
    const { path, isDirectory } = this.#existing();
    const name = `n${this.#made++}`;
    const fresh = join(isDirectory ? path : dirname(path), name);
    const top = join(this.#root, `top-${name}`);
    const time = 1_000_000_000 + this.#below(500_000_000);
    this.#pick<() => void>([
      () => writeFileSync(fresh, `content ${this.#below(1000)}`),
      () => mkdirSync(join(fresh, 'in'), { recursive: true }),
      () => symlinkSync(this.#pick(['.', '..', 'n1', '/n2', 'nowhere']), fresh),
      () => this.#unlessTop(path, () => (isDirectory ? cpSync(path, top, COPY) : linkSync(path, fresh))),
      () => this.#unlessTop(path, () => rmSync(path, { recursive: true })),
      () => this.#unlessTop(path, () => this.#replace(path)),
      () => this.#unlessTop(path, () => renameSync(path, top)),
      () => unlessLink(path, () => chmodSync(path, this.#pick([0o600, 0o755, 0o4711, 0o1777, 0o750]))),
      () => unlessLink(path, () => chownSync(path, this.#below(3), this.#below(70_000))),
      () => unlessLink(path, () => utimesSync(path, time, time)),
      () => lstatSync(path).isFile() && writeFileSync(path, `changed ${this.#below(1000)}`),
    ])();
  }

  /** Another kind of file by the same name. */
  #replace(path: string): void {
    const wasDirectory = lstatSync(path).isDirectory();
    rmSync(path, { recursive: true });
    if (wasDirectory) writeFileSync(path, 'was a directory');
    else mkdirSync(path);
  }

  #unlessTop(path: string, act: () => void): void {
    if (path !== this.#root) act();
  }

  #existing(): { readonly path: string; readonly isDirectory: boolean } {
    let path = this.#root;
    for (;;) {
      const isDirectory = lstatSync(path).isDirectory();
      const names = isDirectory ? readdirSync(path).sort() : [];
      if (names.length === 0 || (path !== this.#root && this.#below(3) === 0)) return { path, isDirectory };
      path = join(path, this.#pick(names));
    }
  }

  #below(count: number): number {
    return Math.floor(this.#random() * count);
  }

  #pick<T>(choices: readonly T[]): T {
    const chosen = choices[this.#below(choices.length)];
    if (chosen === undefined) throw new RangeError('nothing to pick from');
    return chosen;
  }
}

const COPY = { recursive: true, verbatimSymlinks: true, preserveTimestamps: true };

function unlessLink(path: string, act: () => void): void {
  if (existsSync(path) && !lstatSync(path).isSymbolicLink()) act();
}
