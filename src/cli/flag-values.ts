import type { FlagValues } from './app-arguments.ts';
import { CliError } from './error.ts';
import { parseBoolean } from './flag.ts';
import type { GlobalValues } from './global-flags.ts';

/** The value that counts where a flag is given more than once: the last. */
export function last(flags: FlagValues, name: string): string | undefined {
  return flags.get(name)?.at(-1);
}

export function all(flags: FlagValues, name: string): readonly string[] {
  return flags.get(name) ?? [];
}

/** Throws CliError `usage`. */
export function isSet(flags: FlagValues, name: string): boolean {
  const text = last(flags, name);
  try {
    return text !== undefined && parseBoolean(text);
  } catch (cause) {
    throw new CliError('usage', `--${name}`, { cause });
  }
}

/** `{ key: value }`, or nothing where the flag is not given. */
export function maybe<K extends string>(key: K, text: string | undefined): { readonly [P in K]?: string } {
  const found: { [P in K]?: string } = {};
  if (text !== undefined) found[key] = text;
  return found;
}

export function globalValues(flags: FlagValues): GlobalValues {
  return {
    debug: isSet(flags, 'debug'),
    trustKeysFromHttps: isSet(flags, 'trust-keys-from-https'),
    ...maybe('dir', last(flags, 'dir')),
    ...maybe('systemConfig', last(flags, 'system-config')),
    ...maybe('localConfig', last(flags, 'local-config')),
    ...maybe('userConfig', last(flags, 'user-config')),
    ...maybe('insecureOptions', last(flags, 'insecure-options')),
  };
}
