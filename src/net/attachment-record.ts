/**
 * What a pod's directory says of one network: a file `net/NN-NAME.json`, written before the first plugin runs and replaced after
 * each, so that whatever has been made can be taken away by what made it, however the configuration changes meanwhile.
 */
import { FieldReader, type JsonObject } from '../abi/json.ts';
import type { CniResult } from './cni/result.ts';
import { parseResult, resultValue } from './cni/result-formats.ts';
import { CNI_VERSIONS, NEWEST_VERSION } from './cni/versions.ts';
import type { ChosenNetwork } from './network-choice.ts';
import type { NetworkList } from './network-list.ts';
import type { RuntimeConfig } from './plugin-input.ts';

export interface AttachmentRecord extends ChosenNetwork {
  /** Of the pod's network namespace, in decimal digits. */
  readonly netnsInode: string;
  /** The namespace that the plugins ran in (`src/native/network-namespace.ts`): what they made there is nowhere else. */
  readonly hostNetns?: string;
  /** The directories that the plugins were found in. */
  readonly cniPath: readonly string[];
  /** `adding`: some plugin of the chain may have been stopped in the middle of its work. */
  readonly phase: 'adding' | 'added';
  /** Of the last plugin that has finished. */
  readonly result: CniResult | undefined;
  readonly runtimeConfig: RuntimeConfig;
}

export function formatAttachmentRecord({ result, ...record }: AttachmentRecord): string {
  const value = result === undefined ? undefined : resultValue(result, NEWEST_VERSION);
  return `${JSON.stringify({ ...record, result: value }, undefined, 2)}\n`;
}

const MOST_DIRECTORIES = 64;
const MOST_PLUGINS = 128;

/** Inverse of `formatAttachmentRecord`. @throws AbiError `bad-message`, SyntaxError */
export function parseAttachmentRecord(text: string): AttachmentRecord {
  const record = new FieldReader(JSON.parse(text), 'attachment');
  return {
    list: parseList(record.object('list')),
    args: record.text('args'),
    ifName: record.text('ifName'),
    netnsInode: record.text('netnsInode'),
    ...(record.has('hostNetns') ? { hostNetns: record.text('hostNetns') } : {}),
    cniPath: record.texts('cniPath', MOST_DIRECTORIES),
    phase: record.word('phase', ['adding', 'added']),
    result: record.has('result') ? parseResult(record.raw('result'), 'attachment.result') : undefined,
    runtimeConfig: record.object('runtimeConfig').value,
  };
}

function parseList(list: FieldReader): NetworkList {
  return {
    name: list.text('name'),
    cniVersion: list.word('cniVersion', CNI_VERSIONS),
    disableCheck: list.boolean('disableCheck'),
    disableGc: list.boolean('disableGc'),
    plugins: list.list('plugins', MOST_PLUGINS, parsePlugin),
    source: list.text('source'),
  };
}

function parsePlugin(value: unknown, where: string): JsonObject {
  return new FieldReader(value, where).value;
}

/** Sorted by name, files are in the order of the interfaces. */
export function attachmentFile(index: number, { list }: Pick<ChosenNetwork, 'list'>): string {
  return `${String(index).padStart(2, '0')}-${list.name}.json`;
}
