/** What can be attached to of an app, and how `rkt attach` asks the stage1 for it (rkt's entrypoint `attach`). */
import { AbiError } from './json.ts';
import { Arguments } from './stage1-flags.ts';

/** The ends of an app's streams, in the order in which their descriptors are handed over. */
export const ENDPOINTS = ['stdin', 'stdout', 'stderr', 'tty-in', 'tty-out'] as const;
export type Endpoint = (typeof ENDPOINTS)[number];

export type AttachAction =
  | { readonly kind: 'list' }
  /** To all that there is. */
  | { readonly kind: 'auto-attach' }
  | { readonly kind: 'custom-attach'; readonly endpoints: readonly Endpoint[] };

export interface AttachArguments {
  readonly app: string;
  readonly debug: boolean;
  readonly action: AttachAction;
  readonly detachKeys: string;
}

export const DEFAULT_DETACH_KEYS = 'ctrl-p,ctrl-q';

export function formatAttachArguments({ app, debug, action, detachKeys }: AttachArguments): string[] {
  return [
    `--action=${action.kind}`,
    ...(action.kind === 'custom-attach'
      ? ENDPOINTS.map((endpoint) => `--${endpoint}=${action.endpoints.includes(endpoint)}`)
      : []),
    `--app=${app}`,
    `--debug=${debug}`,
    // Ours: a stage1 of somebody else's has not heard of it.
    ...(detachKeys === DEFAULT_DETACH_KEYS ? [] : [`--detach-keys=${detachKeys}`]),
  ];
}

/** Inverse of `formatAttachArguments`. @throws AbiError `bad-arguments` */
export function parseAttachArguments(args: readonly string[]): AttachArguments {
  const parsed = new Arguments(args, {
    action: 'value',
    app: 'value',
    debug: 'boolean',
    'detach-keys': 'value',
    ...Object.fromEntries(ENDPOINTS.map((endpoint) => [endpoint, 'boolean'] as const)),
  });
  const app = parsed.value('app');
  if (app === undefined || app === '') throw new AbiError('bad-arguments', 'attach: --app is missing');
  return {
    app,
    debug: parsed.isSet('debug'),
    action: actionOf(
      parsed.value('action'),
      ENDPOINTS.filter((endpoint) => parsed.isSet(endpoint)),
    ),
    detachKeys: parsed.value('detach-keys') ?? DEFAULT_DETACH_KEYS,
  };
}

function actionOf(kind: string | undefined, endpoints: readonly Endpoint[]): AttachAction {
  if (kind === 'list' || kind === 'auto-attach') return { kind };
  if (kind !== 'custom-attach')
    throw new AbiError('bad-arguments', `attach: --action=${JSON.stringify(kind)} is none that can be done`);
  return { kind, endpoints: checkedEndpoints(endpoints) };
}

/** Throws AbiError `bad-arguments` for none, and for a terminal and streams at once. */
function checkedEndpoints(endpoints: readonly Endpoint[]): readonly Endpoint[] {
  if (endpoints.length === 0)
    throw new AbiError('bad-arguments', 'mode must specify at least one endpoint to attach');
  const terminals = endpoints.filter((endpoint) => endpoint.startsWith('tty')).length;
  if (terminals > 0 && terminals < endpoints.length)
    throw new AbiError(
      'bad-arguments',
      `incompatible endpoints ${JSON.stringify(endpoints.join(','))}, cannot simultaneously attach TTY and streams`,
    );
  return endpoints;
}

/** `auto`, `list`, or endpoints between commas, of which `tty` is both of a terminal's. Throws AbiError `bad-arguments`. */
export function parseAttachMode(text: string): AttachAction {
  if (text === 'list') return { kind: 'list' };
  if (text === 'auto' || text === '') return { kind: 'auto-attach' };
  const wanted = new Set<string>(
    text.split(',').flatMap((word) => (word === 'tty' ? ['tty-in', 'tty-out'] : [word])),
  );
  const unknown = [...wanted].find((word) => !ENDPOINTS.some((endpoint) => endpoint === word));
  if (unknown !== undefined)
    throw new AbiError('bad-arguments', `unknown endpoint ${JSON.stringify(unknown)}`);
  return {
    kind: 'custom-attach',
    endpoints: checkedEndpoints(ENDPOINTS.filter((endpoint) => wanted.has(endpoint))),
  };
}

/**
 * The bytes of a sequence of keys between commas: `ctrl-` and a letter or one of `@ [ \ ] ^ _`, or a character. Empty: none. Throws AbiError
 * `bad-arguments`.
 */
export function parseDetachKeys(text: string): Uint8Array {
  if (text === '') return new Uint8Array(0);
  return Uint8Array.from(text.split(',').map(keyByte));
}

function keyByte(word: string): number {
  const [, control] = /^ctrl-([a-zA-Z@[\\\]^_])$/.exec(word) ?? [];
  if (control !== undefined) return control.toUpperCase().charCodeAt(0) - 64;
  if (/^[\x21-\x7e]$/.test(word)) return word.charCodeAt(0);
  throw new AbiError(
    'bad-arguments',
    `${JSON.stringify(word)} is no key: ctrl-a to ctrl-z, ctrl-@, ctrl-[, ctrl-\\, ctrl-], ctrl-^, ctrl-_, or a character`,
  );
}
