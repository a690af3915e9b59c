import { type ACName, parseACName, parseQuantity, wholeUnits } from '../appc/index.ts';
import { Stage0Error } from './errors.ts';

/** `KEY=VALUE,...` of a flag. What nobody has asked for in the end is refused. */
export class Words {
  readonly #values = new Map<string, string>();

  /** `named`: the first word may be a name alone. */
  constructor(
    private readonly flag: string,
    private readonly text: string,
    named: boolean,
  ) {
    text.split(',').forEach((word, index) => {
      const equals = word.indexOf('=');
      if (equals < 0 && !(named && index === 0))
        throw this.refuse(`${JSON.stringify(word)} is not KEY=VALUE`);
      const key = equals < 0 ? 'name' : word.slice(0, equals);
      if (this.#values.has(key)) throw this.refuse(`${key} is given twice`);
      this.#values.set(key, word.slice(equals + 1));
    });
  }

  take(key: string): string | undefined {
    const value = this.#values.get(key);
    this.#values.delete(key);
    return value;
  }

  required(key: string): string {
    const value = this.take(key);
    if (value === undefined || value === '') throw this.refuse(`${key} is missing`);
    return value;
  }

  name(key: string): ACName {
    const text = this.required(key);
    try {
      return parseACName(text);
    } catch (cause) {
      throw this.refuse(`${JSON.stringify(text)} is no name of a volume`, cause);
    }
  }

  absolute(key: string): string {
    const path = this.required(key);
    if (path.startsWith('/') && !path.includes('\0')) return path;
    throw this.refuse(`${key} must be an absolute path, not ${JSON.stringify(path)}`);
  }

  /** In an app's root, from which a relative one begins, too. */
  target(): string {
    return this.required('target');
  }

  /** Below the volume's top. */
  subPath(): { readonly subPath?: string } {
    const text = this.take('subPath');
    if (text === undefined) return {};
    const parts = text.split('/').filter((part) => part !== '' && part !== '.');
    if (parts.length === 0 || parts.includes('..') || text.startsWith('/') || text.includes('\0'))
      throw this.refuse(`subPath: ${JSON.stringify(text)} is no path below the volume`);
    return { subPath: parts.join('/') };
  }

  maybeBoolean<K extends string>(key: K): { readonly [P in K]?: boolean } {
    const found: { [P in K]?: boolean } = {};
    const text = this.take(key);
    if (text === undefined) return found;
    if (text !== 'true' && text !== 'false')
      throw this.refuse(`${key} is true or false, not ${JSON.stringify(text)}`);
    found[key] = text === 'true';
    return found;
  }

  number(key: string, base: 8 | 10, most: number): number | undefined {
    const text = this.take(key);
    if (text === undefined) return undefined;
    const value = Number.parseInt(text, base);
    if ((base === 8 ? /^[0-7]+$/ : /^\d+$/).test(text) && value <= most) return value;
    throw this.refuse(`${key}: ${JSON.stringify(text)} is no ${base === 8 ? 'mode in octal digits' : 'id'}`);
  }

  /** Bytes, as limits of memory are written. */
  size(key: string): number | undefined {
    const text = this.take(key);
    if (text === undefined) return undefined;
    try {
      const bytes = wholeUnits(parseQuantity(text));
      if (bytes > 0 && Number.isSafeInteger(bytes)) return bytes;
    } catch (cause) {
      throw this.refuse(`${key}: ${JSON.stringify(text)} is no size`, cause);
    }
    throw this.refuse(`${key}: ${JSON.stringify(text)} is no size`);
  }

  word<const W extends string>(key: string, words: readonly W[]): W | undefined {
    const text = this.take(key);
    const found = words.find((word) => word === text);
    if (text === undefined || found !== undefined) return found;
    throw this.refuse(`${key} is ${words.join(' or ')}, not ${JSON.stringify(text)}`);
  }

  /** Throws for what is left. */
  finish(): void {
    const [key] = this.#values.keys();
    if (key !== undefined) throw this.refuse(`unknown parameter ${JSON.stringify(key)}`);
  }

  refuse(why: string, cause?: unknown): Stage0Error {
    return new Stage0Error('bad-request', `${this.flag}: ${JSON.stringify(this.text)}: ${why}`, { cause });
  }
}
