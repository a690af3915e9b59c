import type { PullPolicy } from '../stage0/images.ts';
import type { FlagValues } from './app-arguments.ts';
import { CliError } from './error.ts';
import { boolean, choice, Flag, value, values } from './flag.ts';
import { all, isSet, last } from './flag-values.ts';

/** How images are come by. */
export interface PullOptions {
  readonly pullPolicy: PullPolicy;
  readonly authFiles: readonly string[];
}

const POLICIES: readonly PullPolicy[] = ['never', 'new', 'update'];
/** rkt's first flags for this: still taken, since units and scripts have them. */
const DEPRECATED = { 'store-only': 'never', 'no-store': 'update' } as const;

/** The flags of every command that fetches; `fallback` is its policy without any. */
export function pullFlags(fallback: PullPolicy): readonly Flag[] {
  return [
    new Flag(
      'pull-policy',
      choice('POLICY', POLICIES),
      `never: from the store only; new: what the store lacks; update: what has changed (default: ${fallback})`,
    ),
    new Flag('store-only', boolean, 'deprecated, use --pull-policy=never'),
    new Flag('no-store', boolean, 'deprecated, use --pull-policy=update'),
    new Flag('auth-file', values('FILE'), "credentials for registries, as in Docker's config.json"),
  ];
}

/** Of the image before it. */
export function signatureFlag(): Flag {
  return new Flag(
    'signature',
    value('FILE'),
    'the detached signature of an ACI, instead of the one that is published',
  );
}

/** Throws CliError `usage`. */
export function pullOptions(flags: FlagValues, fallback: PullPolicy): PullOptions {
  return {
    pullPolicy: pullPolicy(flags) ?? fallback,
    authFiles: all(flags, 'auth-file'),
  };
}

/** What to tell whoever uses the old flags. */
export function deprecations(flags: FlagValues): readonly string[] {
  return Object.entries(DEPRECATED)
    .filter(([name]) => isSet(flags, name))
    .map(([name, policy]) => `--${name} is deprecated, use --pull-policy=${policy}`);
}

/** Throws CliError `usage`. */
export function signature(flags: FlagValues): string | undefined {
  const [file, ...more] = all(flags, 'signature');
  if (more.length > 0) throw new CliError('usage', '--signature specified multiple times for the same image');
  return file;
}

function pullPolicy(flags: FlagValues): PullPolicy | undefined {
  const [storeOnly, noStore] = [isSet(flags, 'store-only'), isSet(flags, 'no-store')];
  if (storeOnly && noStore) throw new CliError('usage', 'both --store-only and --no-store specified');
  const old = storeOnly ? DEPRECATED['store-only'] : noStore ? DEPRECATED['no-store'] : undefined;
  const given = parsePolicy(last(flags, 'pull-policy'));
  if (old !== undefined && given !== undefined && old !== given)
    throw new CliError(
      'usage',
      `--pull-policy=${given} and ${storeOnly ? '--store-only' : '--no-store'} contradict each other`,
    );
  return given ?? old;
}

function parsePolicy(text: string | undefined): PullPolicy | undefined {
  if (text === undefined) return undefined;
  const policy = POLICIES.find((candidate) => candidate === text);
  if (policy !== undefined) return policy;
  throw new CliError('usage', `--pull-policy: expected ${POLICIES.join(', ')}, got ${JSON.stringify(text)}`);
}
