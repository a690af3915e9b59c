/** What `tuning` is to change. */
import type { FieldReader, JsonObject } from '../../src/abi/json.ts';
import { readTextIfPresent } from '../../src/native/contents.ts';
import type { LinkChange } from '../../src/native/netlink/links.ts';
import { badConfiguration } from '../failure.ts';
import { macOption, mtuOption, number, text } from '../options.ts';
import type { PluginRequest } from '../request.ts';

/** Regular expressions, one a line: where the file is there, no other settings may be made. */
const ALLOWED = '/etc/cni/tuning/allowlist.conf';
const LARGEST_LIST = 1024 * 1024;
const LONGEST_QUEUE = 2 ** 31 - 1;
const STANDARD_DIRECTORY = '/run/cni/tuning';
const MANY = 4096;

export type Tuned = Pick<LinkChange, 'mac' | 'mtu' | 'promiscuous' | 'allMulticast' | 'queueLength'>;

export interface Setting {
  /** As it is configured, for messages. */
  readonly key: string;
  /** Below /proc/sys. */
  readonly path: string;
  readonly value: string;
}

export interface TuningOptions {
  readonly link: Tuned;
  readonly settings: readonly Setting[];
}

export function tuningOptions(request: PluginRequest): TuningOptions {
  const { fields } = request.config;
  return { link: tunedLink(request, fields), settings: settingsOf(request, fields) };
}

/** Where it is kept how interfaces were. */
export function keptDirectory({ config }: PluginRequest): string {
  const directory = text(config.fields, 'dataDir') ?? STANDARD_DIRECTORY;
  if (directory.startsWith('/')) return directory;
  throw badConfiguration(`dataDir '${directory}' is no absolute path`);
}

function tunedLink(request: PluginRequest, fields: FieldReader): Tuned {
  const [mac, mtu] = [macOption(request), mtuOption(request)];
  const queueLength = number(fields, 'txQLen', 0, LONGEST_QUEUE);
  // `false` is what a configuration has that does not speak of it: an interface that somebody made so stays so.
  const isOn = (key: string) => fields.has(key) && fields.boolean(key);
  return {
    ...(mac === undefined ? {} : { mac }),
    ...(mtu === undefined ? {} : { mtu }),
    ...(isOn('promisc') ? { promiscuous: true } : {}),
    ...(isOn('allmulti') ? { allMulticast: true } : {}),
    ...(queueLength === undefined ? {} : { queueLength }),
  };
}

function settingsOf({ ifName }: PluginRequest, fields: FieldReader): Setting[] {
  if (!fields.has('sysctl')) return [];
  const values = fields.object('sysctl');
  const keys = Object.keys(fields.raw('sysctl') as JsonObject);
  if (keys.length > MANY) throw badConfiguration(`config.sysctl has more than ${MANY} settings`);
  const allowed = allowedSettings();
  return keys.map((key) => {
    if (allowed?.some((pattern) => pattern.test(key)) === false)
      throw badConfiguration(`sysctl '${key}' is not allowed by ${ALLOWED}`);
    const path = pathOf(key).replace('IFNAME', () => ifName);
    if (!isOfNetwork(path))
      throw badConfiguration(`sysctl '${key}' is none of the network's: it has to begin with net`);
    return { key, path, value: values.text(key) };
  });
}

/** As sysctl(8): of `.` and `/`, the one that comes first parts the names, and the other one belongs to them. */
function pathOf(key: string): string {
  const isPath = /^[^.]*\//.test(key);
  return isPath ? key : key.replace(/[./]/g, (char) => (char === '.' ? '/' : '.'));
}

/** Of a container's network alone: all others are the host's. */
function isOfNetwork(path: string): boolean {
  const [first, ...rest] = path.split('/');
  return (
    first === 'net' && rest.length > 0 && rest.every((part) => part !== '' && part !== '.' && part !== '..')
  );
}

function allowedSettings(): RegExp[] | undefined {
  return readTextIfPresent(ALLOWED, LARGEST_LIST)
    ?.split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line) => new RegExp(line));
}
