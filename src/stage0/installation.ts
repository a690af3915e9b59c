import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parsePluginDirectories } from '../abi/host-namespaces.ts';
import { Stage0Error } from './errors.ts';

/** Where the `rkt` command's own files are: the bundle's directory. */
const home = dirname(fileURLToPath(import.meta.url));

/** The program between stage0 and the stage1. Throws Stage0Error `not-installed`. */
export function rktMountPath(): string {
  return programPath('rkt-mount');
}

/** The metadata service. Throws Stage0Error `not-installed`. */
export function metadataServicePath(): string {
  return programPath('metadata-service');
}

function programPath(name: string): string {
  const path = join(home, 'bin', name);
  if (!existsSync(path)) throw new Stage0Error('not-installed', `${name} is missing: no ${path}`);
  return path;
}

/** The stage1 images that come with this `rkt`. */
export function ownStage1Images(): string {
  return join(home, 'stage1-images');
}

/** Where other software has CNI plugins: rkt's own place, the specification's, and Debian's. */
const PLUGIN_DIRECTORIES = ['/usr/lib/rkt/plugins/net', '/opt/cni/bin', '/usr/lib/cni'];

/** Where CNI plugins are looked for, in this order: what the caller names, the administrator's own, those that come with this `rkt`, others. */
export function pluginDirectories(localConfig: string, given: string | undefined): string[] {
  const directories = [
    ...parsePluginDirectories(given ?? ''),
    join(localConfig, 'net.d'),
    join(home, 'plugins', 'net'),
    ...PLUGIN_DIRECTORIES,
  ];
  return [...new Set(directories)];
}

/** The version in the package's own description, which lies beside the command's files or above them. */
export function ownVersion(): string {
  const [path] = ['.', '..', '../..']
    .map((up) => join(home, up, 'package.json'))
    .filter((file) => existsSync(file));
  const description: unknown = path === undefined ? undefined : JSON.parse(readFileSync(path, 'utf8'));
  if (typeof description === 'object' && description !== null && 'version' in description)
    return String(description.version);
  throw new Stage0Error('not-installed', `package.json is missing: none in or above ${home}`);
}
