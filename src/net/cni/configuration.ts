/** The configuration that a plugin is given: what all plugins read of it. */
import { FieldReader, type JsonObject } from '../../abi/json.ts';
import { CNI_ERROR, CniError } from './errors.ts';
import { type CniResult, type Dns, hasDns } from './result.ts';
import { parseResult } from './result-formats.ts';
import { parseDns, parseList } from './result-parts.ts';
import { CNI_VERSIONS, type CniVersion, isCniVersion, OLDEST_VERSION } from './versions.ts';

export interface Attachment {
  readonly containerId: string;
  readonly ifName: string;
}

export interface PluginConfiguration {
  readonly cniVersion: CniVersion;
  /** The network's. */
  readonly name: string;
  readonly type: string;
  /** The type of the plugin that gives addresses; undefined for a network without. */
  readonly ipam: string | undefined;
  readonly dns: Dns;
  readonly prevResult: CniResult | undefined;
  /** Of GC: what is still there. Undefined where the runtime does not say. */
  readonly validAttachments: readonly Attachment[] | undefined;
  /** Everything, for the plugin's own options. */
  readonly fields: FieldReader;
  /** What a runtime says for this one container, by capability. */
  readonly runtime: FieldReader;
  /** `args.cni`: the same in the older way. */
  readonly args: FieldReader;
  /** As it came. */
  readonly value: JsonObject;
}

/** The specification, section 1: letters and digits, then also `_`, `.` and `-`. */
const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;

export function isCniName(text: string): boolean {
  return NAME.test(text);
}

/** Reads the version alone, for errors and VERSION: of a configuration that may be wrong otherwise. */
export function versionOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || !('cniVersion' in value)) return undefined;
  return typeof value.cniVersion === 'string' && value.cniVersion !== '' ? value.cniVersion : undefined;
}

export function parseConfiguration(value: unknown): PluginConfiguration {
  const fields = new FieldReader(value, 'config');
  const name = fields.has('name') ? fields.string('name') : '';
  if (!isCniName(name)) {
    const message = name === '' ? 'the network has no name' : `'${name}' is no name of a network`;
    throw new CniError(CNI_ERROR.invalidConfiguration, message);
  }
  return {
    cniVersion: parseVersion(versionOf(value)),
    name,
    type: fields.has('type') ? fields.text('type') : '',
    ipam: ipamType(fields),
    dns: fields.has('dns') ? parseDns(fields.raw('dns'), 'config.dns') : {},
    prevResult: fields.has('prevResult')
      ? parseResult(fields.raw('prevResult'), 'config.prevResult')
      : undefined,
    validAttachments: parseAttachments(fields),
    fields,
    runtime: objectOrEmpty(fields, 'runtimeConfig'),
    args: objectOrEmpty(objectOrEmpty(fields, 'args'), 'cni'),
    value: value as JsonObject,
  };
}

function parseVersion(text: string = OLDEST_VERSION): CniVersion {
  if (isCniVersion(text)) return text;
  const known = CNI_VERSIONS.join(', ');
  throw new CniError(
    CNI_ERROR.incompatibleVersion,
    `incompatible CNI version '${text}'`,
    `supported: ${known}`,
  );
}

function ipamType(fields: FieldReader): string | undefined {
  const ipam = objectOrEmpty(fields, 'ipam');
  const type = ipam.has('type') ? ipam.text('type') : '';
  return type === '' ? undefined : type;
}

/** The field, or an object of nothing where it is missing. */
function objectOrEmpty(fields: FieldReader, key: string): FieldReader {
  return fields.has(key) ? fields.object(key) : new FieldReader({}, `${fields.where}.${key}`);
}

/** The specification names the list in one way, and runtimes in two. */
const ATTACHMENTS = ['cni.dev/valid-attachments', 'cni.dev/attachments'];

function parseAttachments(fields: FieldReader): readonly Attachment[] | undefined {
  const key = ATTACHMENTS.find((name) => fields.has(name));
  return key === undefined ? undefined : parseList(fields, key, parseAttachment);
}

function parseAttachment(value: unknown, where: string): Attachment {
  const fields = new FieldReader(value, where);
  return { containerId: fields.text('containerID'), ifName: fields.text('ifname') };
}

/** The network's own configuration of names counts before what the plugin that gives addresses has found. */
export function withDns(result: CniResult, dns: Dns): CniResult {
  return hasDns(dns) ? { ...result, dns } : result;
}
