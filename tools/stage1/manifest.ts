import { METADATA_ANNOTATION } from '../../src/abi/metadata.ts';
import { RECORDS_ANNOTATION } from '../../src/abi/outside-records.ts';
import { PRIVATE_USERS_ANNOTATION, type PrivateUsersKind } from '../../src/abi/private-users.ts';
import { REMOVAL_ANNOTATION } from '../../src/abi/removal.ts';
import {
  type Entrypoint,
  entrypointAnnotation,
  INTERFACE_VERSION_ANNOTATION,
  STAGE1_INTERFACE_VERSION,
} from '../../src/abi/stage1.ts';
import { VOLUMES_ANNOTATION } from '../../src/abi/volume-plan.ts';

/** Of the flavours that have users other than the host's. */
const PRIVATE_USERS: Readonly<Record<string, PrivateUsersKind>> = {
  'stage1-kvm': 'inherent',
  'stage1-ns': 'ranges',
};

function privateUsers(flavour: string) {
  const value = PRIVATE_USERS[flavour];
  return value === undefined ? [] : [{ name: PRIVATE_USERS_ANNOTATION, value }];
}

/** For people: what `uname -r` says in a pod's machine. */
const KERNEL_ANNOTATION = 'coreos.com/rkt/stage1/kernel';

export interface Stage1Names {
  /** `stage1-kvm`. */
  readonly flavour: string;
  readonly version: string;
  /** The release of its kernel, if it has one. */
  readonly kernel?: string;
}

const appcVersion = '0.8.11';

/** A stage1's image manifest: the entrypoints, which are `/run`, `/enter` and so on in its root. */
export function stage1Manifest(
  { flavour, version, kernel }: Stage1Names,
  entrypoints: readonly Entrypoint[],
): string {
  const name = `coreos.com/rkt/${flavour}`;
  const annotations = [
    ...entrypoints.map((entrypoint) => ({ name: entrypointAnnotation(entrypoint), value: `/${entrypoint}` })),
    { name: INTERFACE_VERSION_ANNOTATION, value: String(STAGE1_INTERFACE_VERSION) },
    { name: REMOVAL_ANNOTATION, value: 'true' },
    { name: METADATA_ANNOTATION, value: 'true' },
    { name: VOLUMES_ANNOTATION, value: 'true' },
    { name: RECORDS_ANNOTATION, value: 'true' },
    ...privateUsers(flavour),
    ...(kernel === undefined ? [] : [{ name: KERNEL_ANNOTATION, value: kernel }]),
  ];
  const labels = [
    { name: 'version', value: version },
    { name: 'arch', value: 'amd64' },
    { name: 'os', value: 'linux' },
  ];
  const manifest = { acKind: 'ImageManifest', acVersion: appcVersion, name, labels, annotations };
  return `${JSON.stringify(manifest, undefined, 2)}\n`;
}
