import { type Cursor, fields, type Grammar, string, word } from '../appc/json.ts';
import { withoutUndefined } from '../appc/json-value.ts';

/** In the words of Go (GOOS and GOARCH), which OCI uses: `linux`, `arm64`, `v8`. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

const platformWord: Grammar<string> = {
  noun: 'a word as in linux/arm64/v8',
  is: (text): text is string => /^[A-Za-z0-9_.+-]{1,64}$/.test(text),
};
const readWord = word(platformWord);

export function readPlatform(at: Cursor): Platform {
  const platform = fields(at);
  return withoutUndefined({
    os: platform.required('os', readWord),
    architecture: platform.required('architecture', readWord),
    variant: platform.optional('variant', (variant) =>
      variant.value === '' ? undefined : readWord(variant),
    ),
  });
}

/** Beside images an index may list things of no platform, which some tools write as one of empty words. */
export function readPlatformIfSaid(at: Cursor): Platform | undefined {
  const platform = fields(at);
  const said = (key: string) => platform.optional(key, string) || undefined;
  return said('os') === undefined && said('architecture') === undefined ? undefined : readPlatform(at);
}

export function formatPlatform({ os, architecture, variant }: Platform): string {
  return [os, architecture, variant].filter((part) => part !== undefined).join('/');
}

/** The variant that is meant when none is said. */
const plainVariant: ReadonlyMap<string, string> = new Map([
  ['amd64', 'v1'],
  ['arm', 'v7'],
  ['arm64', 'v8'],
]);

/**
 * How well an image for one platform runs on another: undefined if not at all, else smaller is better. A
 * processor runs programs for its own variant and for every earlier one.
 */
export function platformDistance(offered: Platform, wanted: Platform): number | undefined {
  if (offered.os !== wanted.os || offered.architecture !== wanted.architecture) return undefined;
  const has = variantOf(offered);
  const wants = variantOf(wanted);
  if (has === wants) return 0;
  const distance = (variantNumber(wants) ?? Number.NaN) - (variantNumber(has) ?? Number.NaN);
  return distance >= 0 ? distance : undefined;
}

function variantOf({ architecture, variant }: Platform): string {
  return variant ?? plainVariant.get(architecture) ?? '';
}

function variantNumber(variant: string): number | undefined {
  const digits = /^v(\d{1,3})(?:\.(\d))?$/.exec(variant);
  return digits ? Number(`${digits[1]}.${digits[2] ?? 0}`) : undefined;
}
