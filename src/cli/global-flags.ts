import type { HostOptions } from '../stage0/host.ts';
import { INSECURE_WORDS, parseInsecureOptions } from '../stage0/insecure-options.ts';
import { boolean, choice, Flag, value } from './flag.ts';

/** Before or after the subcommand, as in rkt. */
export const GLOBAL_FLAGS: readonly Flag[] = [
  new Flag('debug', boolean, 'print what is done, and the console of the pod'),
  new Flag('dir', value('DIR'), 'data directory (default: /var/lib/rkt, or as configured)'),
  new Flag('system-config', value('DIR'), 'vendor configuration (default: /usr/lib/rkt)'),
  new Flag('local-config', value('DIR'), 'configuration of this host (default: /etc/rkt)'),
  new Flag('user-config', value('DIR'), 'configuration that overrides both'),
  new Flag(
    'insecure-options',
    choice('LIST', INSECURE_WORDS),
    `checks to go without: ${INSECURE_WORDS.join(',')}`,
  ),
  new Flag(
    'trust-keys-from-https',
    boolean,
    'trust the keys that a publisher announces over https without asking',
  ),
];

/** The values of the global flags, as commander names them. */
export interface GlobalValues {
  readonly debug?: boolean;
  readonly dir?: string;
  readonly systemConfig?: string;
  readonly localConfig?: string;
  readonly userConfig?: string;
  readonly insecureOptions?: string;
  readonly trustKeysFromHttps?: boolean;
}

/** Throws Stage0Error for an unknown insecure option. */
export function hostOptions(values: GlobalValues): HostOptions {
  const { dir, systemConfig, localConfig, userConfig } = values;
  return {
    ...(dir === undefined ? {} : { dataDirectory: dir }),
    ...(systemConfig === undefined ? {} : { systemConfig }),
    ...(localConfig === undefined ? {} : { localConfig }),
    ...(userConfig === undefined ? {} : { userConfig }),
    insecure: parseInsecureOptions(values.insecureOptions ?? ''),
    trustKeysFromHttps: values.trustKeysFromHttps ?? false,
    debug: values.debug ?? false,
  };
}
