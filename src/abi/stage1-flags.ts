/** The flags that a stage1's entrypoints are started with: Go's syntax, as rkt's stage1s read it. */
import { AbiError } from './json.ts';

export type FlagTable = Readonly<Record<string, 'boolean' | 'value'>>;

export function flag(name: string, set: boolean): string[] {
  return set ? [`--${name}`] : [];
}

/** Go's flag syntax, as rkt's stage1s read it: `--name`, `--name=value`, then positional arguments. */
export class Arguments {
  readonly #flags = new Map<string, string>();
  readonly rest: readonly string[];

  constructor(args: readonly string[], table: FlagTable) {
    let index = 0;
    for (; index < args.length; index++) {
      const argument = args[index] ?? '';
      if (argument === '--') {
        index++;
        break;
      }
      const match = /^--?([a-z0-9-]+)(?:=([\s\S]*))?$/.exec(argument);
      if (match === null) break;
      this.#take(match[1] ?? '', match[2], table);
    }
    this.rest = args.slice(index);
  }

  #take(name: string, value: string | undefined, table: FlagTable): void {
    const kind = Object.hasOwn(table, name) ? table[name] : undefined;
    switch (kind) {
      case undefined:
        throw new AbiError('bad-arguments', `unknown argument --${name}`);
      case 'value':
        if (value === undefined) throw new AbiError('bad-arguments', `--${name} needs a value`);
        this.#flags.set(name, value);
        return;
      case 'boolean':
        if (value !== undefined && value !== 'true' && value !== 'false')
          throw new AbiError('bad-arguments', `--${name} is true or false, not ${JSON.stringify(value)}`);
        this.#flags.set(name, value ?? 'true');
        return;
      default:
        kind satisfies never;
    }
  }

  isSet(name: string): boolean {
    return this.#flags.get(name) === 'true';
  }

  value(name: string): string | undefined {
    return this.#flags.get(name);
  }

  only(what: string): string {
    const [first, ...more] = this.rest;
    if (first === undefined || more.length > 0)
      throw new AbiError(
        'bad-arguments',
        `expected ${what} as the only argument, got ${JSON.stringify(this.rest)}`,
      );
    return first;
  }
}
