import { Stage0Error } from './errors.ts';

/** The checks that `--insecure-options` can take away, in rkt's words. */
const CHECKS = ['image', 'tls', 'http', 'pubkey', 'capabilities', 'paths', 'seccomp'] as const;
export type Check = (typeof CHECKS)[number];

/** Words and the checks they stand for; `ondisk` is accepted and has no effect, as in rkt 1.30. */
const WORDS: Readonly<Record<string, readonly Check[]>> = {
  none: [],
  image: ['image'],
  tls: ['tls'],
  ondisk: [],
  http: ['http'],
  pubkey: ['pubkey'],
  capabilities: ['capabilities'],
  paths: ['paths'],
  seccomp: ['seccomp'],
  'all-fetch': ['image', 'tls', 'http', 'pubkey'],
  'all-run': ['capabilities', 'paths', 'seccomp'],
  all: CHECKS,
};

export const INSECURE_WORDS = Object.keys(WORDS);

/** Reads a comma-separated list. Throws Stage0Error `bad-request`. */
export function parseInsecureOptions(text: string): ReadonlySet<Check> {
  const words = text.split(',').filter((word) => word !== '');
  return new Set(words.flatMap(checksOf));
}

function checksOf(word: string): readonly Check[] {
  const checks = Object.hasOwn(WORDS, word) ? WORDS[word] : undefined;
  if (checks !== undefined) return checks;
  throw new Stage0Error(
    'bad-request',
    `unknown insecure option ${JSON.stringify(word)}, expected ${INSECURE_WORDS.join(', ')}`,
  );
}
