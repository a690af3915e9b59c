/** Network configurations, of files and built in (CNI specification, section 1). */
import { AbiError, FieldReader, type JsonObject } from '../abi/json.ts';
import { isCniName } from './cni/configuration.ts';
import { CNI_VERSIONS, type CniVersion, isCniVersion, OLDEST_VERSION } from './cni/versions.ts';
import { NetError } from './error.ts';

export interface NetworkList {
  readonly name: string;
  readonly cniVersion: CniVersion;
  readonly disableCheck: boolean;
  readonly disableGc: boolean;
  /** At least one. Neither the name nor the version has been put in yet. */
  readonly plugins: readonly JsonObject[];
  /** Path of the file, or `built-in`. */
  readonly source: string;
}

export interface NetworkFile {
  readonly path: string;
  readonly text: string;
}

/** In bytes. */
export const LARGEST_NETWORK_FILE = 1024 * 1024;
const MOST_PLUGINS = 64;
const MOST_VERSIONS = 64;

/** Whether a file of `net.d` describes a network. */
export function isNetworkFile(path: string): boolean {
  return /\.conf(list)?$/.test(path);
}

/**
 * A `.conflist`, or a file with a single plugin. `filesOf` reads the `.conf` files of a directory, by name: more plugins of a
 * list may be in the one that is beside it and has the network's name.
 * @throws NetError `bad-network`
 */
export function parseNetworkFile(
  path: string,
  text: string,
  filesOf: (directory: string) => readonly NetworkFile[] = () => [],
): NetworkList {
  return within(path, text, (fields) => {
    if (!fields.has('plugins') && fields.has('type')) return parseSingle(fields, path);
    return parseList(fields, path, filesOf);
  });
}

/** A plugin alone has the network's name and version in itself. */
function parseSingle(fields: FieldReader, source: string): NetworkList {
  return {
    name: parseName(fields),
    cniVersion: parseVersion(fields),
    disableCheck: false,
    disableGc: false,
    plugins: [parsePlugin(fields)],
    source,
  };
}

function parseList(
  fields: FieldReader,
  source: string,
  filesOf: (directory: string) => readonly NetworkFile[],
): NetworkList {
  const name = parseName(fields);
  const inlined = fields.has('plugins')
    ? fields.list('plugins', MOST_PLUGINS, (value, where) => parsePlugin(new FieldReader(value, where)))
    : [];
  const files = flag(fields, 'loadOnlyInlinedPlugins') ? [] : filesOf(`${directoryOf(source)}/${name}`);
  const plugins = [...inlined, ...files.map(({ path, text }) => within(path, text, parsePlugin))];
  if (plugins.length === 0) throw new NetError('bad-network', `${source}: the network has no plugins`);
  return {
    name,
    cniVersion: parseVersion(fields),
    disableCheck: flag(fields, 'disableCheck'),
    disableGc: flag(fields, 'disableGC'),
    plugins,
    source,
  };
}

function directoryOf(path: string): string {
  return path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '.';
}

function parseName(fields: FieldReader): string {
  const name = fields.has('name') ? fields.text('name') : '';
  if (!isCniName(name)) {
    const problem =
      name === '' ? 'the network has no name' : `${JSON.stringify(name)} is no name of a network`;
    throw new AbiError('bad-message', problem);
  }
  return name;
}

/** `cniVersions` are those that the configuration may be read as: the newest that we know. */
function parseVersion(fields: FieldReader): CniVersion {
  const one = fields.has('cniVersion') ? [fields.text('cniVersion')].filter((text) => text !== '') : [];
  const several = fields.has('cniVersions') ? fields.texts('cniVersions', MOST_VERSIONS) : [];
  const given = [...one, ...several];
  if (given.length === 0) return OLDEST_VERSION;
  const known = given.filter(isCniVersion);
  const newest = CNI_VERSIONS.findLast((version) => known.includes(version));
  if (newest === undefined)
    throw new AbiError(
      'bad-message',
      `CNI version ${given.map((text) => JSON.stringify(text)).join(', ')} is not supported: ${CNI_VERSIONS.join(', ')} are`,
    );
  return newest;
}

/** A type is looked for in directories of plugins: it names a file there and leads nowhere else. */
function parsePlugin(fields: FieldReader): JsonObject {
  const type = fields.text('type');
  if (type === '' || type === '.' || type === '..' || type.includes('/'))
    throw new AbiError('bad-message', `${fields.where}.type: ${JSON.stringify(type)} is no name of a plugin`);
  const { name: _name, cniVersion: _version, cniVersions: _versions, ...plugin } = fields.value;
  return plugin;
}

/** Some write such a flag as a text, which the reference library takes. */
function flag(fields: FieldReader, key: string): boolean {
  if (!fields.has(key)) return false;
  const value = fields.raw(key);
  return typeof value === 'string' ? fields.word(key, ['true', 'false']) === 'true' : fields.boolean(key);
}

/** Reads a file's text; whatever is wrong is told with its path. */
function within<T>(path: string, text: string, parse: (fields: FieldReader) => T): T {
  try {
    return parse(new FieldReader(JSON.parse(text), 'network'));
  } catch (cause) {
    if (!(cause instanceof AbiError || cause instanceof SyntaxError)) throw cause;
    const problem = cause instanceof AbiError ? cause.message : `not JSON: ${cause.message}`;
    throw new NetError('bad-network', `${path}: ${problem}`, { cause });
  }
}

/** rkt's, by its addresses. */
export const BUILT_IN_NETWORKS: readonly NetworkList[] = [
  builtIn('default', {
    type: 'ptp',
    ipMasq: true,
    ipam: { type: 'host-local', subnet: '172.16.28.0/24', routes: [{ dst: '0.0.0.0/0' }] },
  }),
  builtIn('default-restricted', {
    type: 'ptp',
    ipMasq: false,
    ipam: { type: 'host-local', subnet: '172.31.0.0/16' },
  }),
];

/** Version 1.0.0 is what every plugin in use speaks. */
function builtIn(name: string, plugin: JsonObject): NetworkList {
  return {
    name,
    cniVersion: '1.0.0',
    disableCheck: false,
    disableGc: false,
    plugins: [plugin],
    source: 'built-in',
  };
}
