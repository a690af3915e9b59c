import type { IdRange } from '../abi/id-range.ts';
import type { MachineRoots } from '../abi/root-disks.ts';
import type { RegistryEntry } from './registry.ts';

/** What a configuration file says, kind by kind; the fields of auth, dockerAuth, paths and stage1 are those of rkt 1.30's files. */
export type Entry =
  | { readonly kind: 'auth'; readonly domains: readonly string[]; readonly credentials: Credentials }
  | {
      readonly kind: 'dockerAuth';
      readonly registries: readonly string[];
      readonly credentials: BasicCredentials;
    }
  | { readonly kind: 'paths'; readonly data?: string; readonly stage1Images?: string }
  | { readonly kind: 'stage1'; readonly name?: string; readonly version?: string; readonly location?: string }
  | ({ readonly kind: 'vm'; readonly ids?: IdRange } & MachineConfig)
  | { readonly kind: 'privateUsers'; readonly ids: IdRange }
  | ({ readonly kind: 'template' } & TemplateSettings)
  | ({ readonly kind: 'registry' } & RegistryEntry)
  /** Absolute paths. */
  | { readonly kind: 'containerAuth'; readonly files: readonly string[] };

/** What machines have unless they are told another. */
export interface MachineConfig {
  readonly rootfs?: MachineRoots;
  readonly scratchBytes?: number;
  /** They check what they read of images. */
  readonly verity?: boolean;
}

/** All pods of the host, those of one tenant, or none. */
export const TEMPLATE_SCOPES = ['host', 'tenant', 'off'] as const;
export type TemplateScope = (typeof TEMPLATE_SCOPES)[number];

export interface TemplateSettings {
  readonly scope: TemplateScope;
  /** Which tenant this is; absent: the user who calls. */
  readonly tenant?: string;
  /** Machines that wait for pods, of each saved machine that pods start from; absent: none. */
  readonly spares?: number;
  /** How long one waits; absent: `SPARE_SECONDS`. */
  readonly spareSeconds?: number;
}

export type Kind = Entry['kind'];

export type Credentials =
  | ({ readonly type: 'basic' } & BasicCredentials)
  | { readonly type: 'oauth'; readonly token: string }
  | {
      readonly type: 'aws';
      readonly accessKeyId: string;
      readonly secretAccessKey: string;
      readonly region?: string;
    };

export interface BasicCredentials {
  readonly user: string;
  readonly password: string;
}

/** Which kinds a directory of a configuration layer may hold. */
export const DIRECTORIES: Readonly<Record<string, readonly Kind[]>> = {
  'auth.d': ['auth', 'dockerAuth', 'containerAuth'],
  'paths.d': ['paths'],
  'stage1.d': ['stage1'],
  'vm.d': ['vm'],
  'private-users.d': ['privateUsers'],
  'registries.d': ['registry'],
  'templates.d': ['template'],
};

/** What an entry claims for itself: no two files of one layer may claim the same. */
export function claimsOf(entry: Entry): readonly string[] {
  switch (entry.kind) {
    case 'auth':
      return named('auth domain', entry.domains);
    case 'dockerAuth':
      return named('docker registry', entry.registries);
    case 'paths':
      return [
        ...(entry.data === undefined ? [] : ['data directory']),
        ...(entry.stage1Images === undefined ? [] : ['stage1-images directory']),
      ];
    case 'stage1':
      return [
        ...(entry.name === undefined ? [] : ['default stage1 name']),
        ...(entry.location === undefined ? [] : ['default stage1 location']),
      ];
    case 'vm':
      return [
        ...(entry.ids === undefined ? [] : ['vm ids']),
        ...(entry.rootfs === undefined ? [] : ['vm rootfs']),
        ...(entry.scratchBytes === undefined ? [] : ['vm scratch size']),
        ...(entry.verity === undefined ? [] : ['vm verity']),
      ];
    case 'privateUsers':
      return ['ids of private users'];
    case 'template':
      return ['scope of templates'];
    case 'registry':
      return named('registry', entry.registries);
    case 'containerAuth':
      return named('container credentials file', entry.files);
    default:
      return entry satisfies never;
  }
}

// A file may say twice what it says once, such as two of the names of Docker's registry.
function named(what: string, names: readonly string[]): readonly string[] {
  return [...new Set(names)].map((name) => `${what} ${JSON.stringify(name)}`);
}
