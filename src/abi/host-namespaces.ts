/**
 * How a pod's supervisor, which rkt-mount has put into namespaces of the pod's own, gets at those of the host: the CNI plugins of the
 * pod's networks run there. stage0 hands them on, and where plugins are looked for; no guest has a say in that.
 */
import { AbiError, FieldReader } from './json.ts';

export const HOST_NAMESPACES_ENV = 'RKT_HOST_NAMESPACES';

/** Directories of CNI plugins, in the order of search, between colons. */
export const PLUGINS_ENV = 'RKT_PLUGINS';

/** Open fds of the namespaces that `rkt` was started in. */
export interface HostNamespaces {
  readonly mountNamespace: number;
  readonly networkNamespace: number;
}

const FD_MAX = 65535;

export function formatHostNamespaces({ mountNamespace, networkNamespace }: HostNamespaces): string {
  return JSON.stringify({ mountNamespace, networkNamespace });
}

/** Inverse of `formatHostNamespaces`. @throws AbiError `bad-arguments` */
export function parseHostNamespaces(text: string): HostNamespaces {
  const fds = new FieldReader(parseJson(text), HOST_NAMESPACES_ENV);
  return {
    mountNamespace: fds.integer('mountNamespace', 3, FD_MAX),
    networkNamespace: fds.integer('networkNamespace', 3, FD_MAX),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const shown = JSON.stringify(text.slice(0, 80));
    throw new AbiError('bad-arguments', `${HOST_NAMESPACES_ENV} is not JSON: ${shown}`, { cause });
  }
}

/** What of `PLUGINS_ENV`, or of CNI_PATH, are directories. */
export function parsePluginDirectories(text: string): string[] {
  return text.split(':').filter((directory) => directory.startsWith('/'));
}
