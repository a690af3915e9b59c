import { type EnvironmentVariable, isEnvironmentName, mergeEnvironments } from '../appc/environment.ts';
import { quote } from '../appc/json.ts';
import { type ACName, parseACName, sanitizeACName } from '../appc/names.ts';
import type { Port } from '../appc/port.ts';
import { absolutePath, type MountPoint } from '../appc/volume.ts';
import { refuse } from './errors.ts';

/**
 * Nobody is root. A user alone is also the group, by the same text: what group the user has is written in
 * the image's files, which are not read here.
 */
export function userOf(text: string): { readonly user: string; readonly group: string } {
  const [user = '', group = ''] = text.split(':');
  return { user: user || '0', group: group || user || '0' };
}

/** Entries without `=` are dropped, as docker2aci does; of two with one name the later counts. */
export function environmentOf(entries: readonly string[]): readonly EnvironmentVariable[] {
  const variables = entries.flatMap((entry, index) => {
    const equals = entry.indexOf('=');
    if (equals < 0) return [];
    const name = entry.slice(0, equals);
    if (isEnvironmentName(name)) return [{ name, value: entry.slice(equals + 1) }];
    const problem = `appc has no environment variable ${quote(name)}: letters, digits, _ . - are allowed`;
    throw refuse('invalid-value', `config.Env[${index}]`, problem);
  });
  return mergeEnvironments(variables);
}

/** Each volume is named after its path: `/var/lib/db` is `volume-var-lib-db`, a second of that name gets `-1`. */
export function mountPointsOf(volumes: readonly string[]): readonly MountPoint[] {
  const taken = new Set<string>();
  return [...new Set(volumes.map(absolutePath))].sort().map((path) => {
    if (path === '/')
      throw refuse('invalid-value', 'config.Volumes', 'a volume cannot be the whole file system');
    const name = freeName(sanitizeACName(`volume${path}`), taken);
    taken.add(name);
    return { name, path, readOnly: false };
  });
}

/** `80/tcp` is the port named `80-tcp`; without a protocol it is tcp. A range is one port with a count. */
export function portsOf(exposed: readonly string[]): readonly Port[] {
  return [...exposed].sort().map(portOf);
}

function portOf(text: string): Port {
  const [, digits = '', end = digits, protocol = 'tcp'] =
    /^(\d{1,5})(?:-(\d{1,5}))?(?:\/([a-z]+))?$/i.exec(text) ?? [];
  const first = Number(digits);
  const last = Number(end);
  if (first < 1 || last < first || last > 65_535) {
    throw refuse(
      'invalid-value',
      'config.ExposedPorts',
      `expected a port such as 80/tcp, got ${quote(text)}`,
    );
  }
  return {
    name: sanitizeACName(text),
    protocol: protocol.toLowerCase(),
    port: first,
    count: last - first + 1,
    socketActivated: false,
  };
}

function freeName(name: ACName, taken: ReadonlySet<string>): ACName {
  let candidate = name;
  for (let n = 1; taken.has(candidate); n++) candidate = parseACName(`${name.slice(0, 240)}-${n}`);
  return candidate;
}
