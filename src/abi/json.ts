/** A JSON value as `JSON.parse` returns it, before anything has been believed about it. */
export type JsonObject = { readonly [key: string]: unknown };

export class AbiError extends Error {
  override readonly name = 'AbiError';

  constructor(
    readonly code: 'bad-message' | 'bad-arguments' | 'bad-plan',
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Reads fields of untrusted JSON. `where` names the value in the error: `boot.apps[0].uid`. */
export class FieldReader {
  readonly #fields: JsonObject;

  constructor(
    value: unknown,
    readonly where: string,
  ) {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw bad(where, 'an object', value);
    this.#fields = value as JsonObject;
  }

  #own(key: string): unknown {
    return Object.hasOwn(this.#fields, key) ? this.#fields[key] : undefined;
  }

  has(key: string): boolean {
    return this.#own(key) !== undefined && this.#own(key) !== null;
  }

  /** All fields, believed to be no more than fields. */
  get value(): JsonObject {
    return this.#fields;
  }

  /** The value as it is, for a parser of its own. */
  raw(key: string): unknown {
    return this.#own(key);
  }

  string(key: string, maxLength = 65536): string {
    const value = this.#own(key);
    if (typeof value !== 'string' || value.length > maxLength)
      throw bad(`${this.where}.${key}`, `a string of at most ${maxLength} characters`, value);
    return value;
  }

  /** A string without NUL bytes: fit for a path, an argument, an environment entry. */
  text(key: string, maxLength = 65536): string {
    const value = this.string(key, maxLength);
    if (value.includes('\0')) throw bad(`${this.where}.${key}`, 'a string without NUL', value);
    return value;
  }

  integer(key: string, min: number, max: number): number {
    const value = this.#own(key);
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < min || value > max)
      throw bad(`${this.where}.${key}`, `an integer from ${min} to ${max}`, value);
    return value;
  }

  boolean(key: string): boolean {
    const value = this.#own(key);
    if (typeof value !== 'boolean') throw bad(`${this.where}.${key}`, 'true or false', value);
    return value;
  }

  /** One of the words of a table. */
  word<const W extends readonly string[]>(key: string, words: W): W[number] {
    const value = this.#own(key);
    const found = words.find((word) => word === value);
    if (found === undefined) throw bad(`${this.where}.${key}`, `one of ${words.join(', ')}`, value);
    return found;
  }

  object(key: string): FieldReader {
    return new FieldReader(this.#own(key), `${this.where}.${key}`);
  }

  list<T>(key: string, maxItems: number, item: (value: unknown, where: string) => T): T[] {
    const value = this.#own(key);
    if (!Array.isArray(value) || value.length > maxItems)
      throw bad(`${this.where}.${key}`, `a list of at most ${maxItems} items`, value);
    return value.map((element, index) => item(element, `${this.where}.${key}[${index}]`));
  }

  texts(key: string, maxItems: number): string[] {
    return this.list(key, maxItems, (value, where) => {
      if (typeof value !== 'string' || value.includes('\0')) throw bad(where, 'a string without NUL', value);
      return value;
    });
  }

  integers(key: string, maxItems: number, min: number, max: number): number[] {
    return this.list(key, maxItems, (value, where) => {
      if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < min || value > max)
        throw bad(where, `an integer from ${min} to ${max}`, value);
      return value;
    });
  }
}

/** The error for a value that is not what its place asks for; the value is quoted, cut to a line. */
function bad(where: string, expected: string, got: unknown): AbiError {
  const text = got === undefined ? 'nothing' : (JSON.stringify(got) ?? typeof got);
  const shown = text.length > 80 ? `${text.slice(0, 77)}...` : text;
  return new AbiError('bad-message', `${where}: expected ${expected}, got ${shown}`);
}
