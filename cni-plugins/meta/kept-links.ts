/** How interfaces were before `tuning` changed them: a file for each, from before the change until after it is undone. */
import { FieldReader } from '../../src/abi/json.ts';
import { readTextIfPresent, writeFile } from '../../src/native/contents.ts';
import { readdir } from '../../src/native/directories.ts';
import { unless } from '../../src/native/errors.ts';
import { mkdirAll, rename, unlink } from '../../src/native/paths.ts';
import type { Attachment } from '../../src/net/cni/configuration.ts';
import { formatOwner, isGone, type NetworkAttachment, parseOwner } from '../attachment.ts';
import type { Tuned } from './tuning-options.ts';

const KIND = 'cni-tuning';
const LARGEST = 4096;
const LARGEST_NUMBER = 2 ** 32 - 1;
const OWNER_ONLY = 0o600;

function pathOf(directory: string, { containerId, ifName }: Attachment): string {
  return `${directory}/${containerId}_${ifName}.json`;
}

/** The first one stays: what a second ADD finds is changed already. */
export function keepLink(directory: string, attachment: NetworkAttachment, link: Tuned): void {
  const path = pathOf(directory, attachment);
  if (readTextIfPresent(path, LARGEST) !== undefined) return;
  mkdirAll(directory);
  const content = JSON.stringify({ owner: formatOwner(KIND, attachment), ...link });
  writeFile(`${path}.new`, content, OWNER_ONLY);
  rename(`${path}.new`, path);
}

export function keptLink(directory: string, attachment: Attachment): Tuned | undefined {
  const text = readTextIfPresent(pathOf(directory, attachment), LARGEST);
  if (text === undefined) return undefined;
  const fields = new FieldReader(JSON.parse(text), 'kept');
  return {
    ...(fields.has('mac') ? { mac: fields.text('mac') } : {}),
    ...(fields.has('mtu') ? { mtu: fields.integer('mtu', 0, LARGEST_NUMBER) } : {}),
    ...(fields.has('promiscuous') ? { promiscuous: fields.boolean('promiscuous') } : {}),
    ...(fields.has('allMulticast') ? { allMulticast: fields.boolean('allMulticast') } : {}),
    ...(fields.has('queueLength') ? { queueLength: fields.integer('queueLength', 0, LARGEST_NUMBER) } : {}),
  };
}

export function forgetLink(directory: string, attachment: Attachment): void {
  const path = pathOf(directory, attachment);
  for (const file of [`${path}.new`, path]) unless(['ENOENT'], () => unlink(file));
}

/** Forgets those of a network's attachments that are no more. */
export function forgetGoneLinks(directory: string, network: string, valid: readonly Attachment[]): void {
  for (const name of unless(['ENOENT'], () => readdir(directory)) ?? []) {
    const owner = ownerOf(`${directory}/${name}`);
    if (owner !== undefined && isGone(owner, network, valid)) forgetLink(directory, owner);
  }
}

/** Undefined for what is of somebody else. */
function ownerOf(path: string): NetworkAttachment | undefined {
  try {
    const fields = new FieldReader(JSON.parse(readTextIfPresent(path, LARGEST) ?? ''), 'kept');
    return parseOwner(KIND, fields.text('owner'));
  } catch {
    return undefined;
  }
}
