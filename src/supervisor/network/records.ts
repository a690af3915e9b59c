/** What has been made for a pod's networks, as its directory says; the current directory is the pod's. */
import { POD } from '../../abi/pod-directory.ts';
import { readText } from '../../native/contents.ts';
import { readdir } from '../../native/directories.ts';
import { unless } from '../../native/errors.ts';
import type { File } from '../../native/files.ts';
import { mkdirAll, unlink } from '../../native/paths.ts';
import {
  type AttachmentRecord,
  attachmentFile,
  formatAttachmentRecord,
  parseAttachmentRecord,
} from '../../net/attachment-record.ts';
import { SupervisorError } from '../error.ts';
import { record } from '../record.ts';
import { lockWithin } from './lock.ts';

export interface KeptRecord {
  /** Its file's name. */
  readonly file: string;
  readonly record: AttachmentRecord;
}

export function makeRecords(): void {
  mkdirAll(POD.networks, 0o750);
}

/** The file's name, by which it is written again. @throws SupervisorError */
export function writeRecord(index: number, attachment: AttachmentRecord): string {
  const file = attachmentFile(index, attachment);
  const text = formatAttachmentRecord(attachment);
  // What it tells of nobody could take away if it could not be read.
  parse(file, text);
  record(`${POD.networks}/${file}`, text, 0o640);
  return file;
}

export function removeRecord(file: string): void {
  unless(['ENOENT'], () => unlink(`${POD.networks}/${file}`));
}

/** In the order of the interfaces. A power cut may have left empty ones, of what it has ended itself. @throws SupervisorError */
export function readRecords(): KeptRecord[] {
  const names = unless(['ENOENT'], () => readdir(POD.networks)) ?? [];
  const files = names.filter((name) => /^\d+-.*\.json$/.test(name)).sort();
  return files.flatMap((file) => {
    const text = readText(`${POD.networks}/${file}`);
    return text.trim() === '' ? [] : [{ file, record: parse(file, text) }];
  });
}

function parse(file: string, text: string): AttachmentRecord {
  try {
    return parseAttachmentRecord(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SupervisorError('network-failed', `${POD.networks}/${file}: ${reason}`, { cause });
  }
}

/** The open lock, which plugins inherit: it is free when none of them runs any more. Undefined where somebody has it for longer. */
export function lockRecords(milliseconds: number): File | undefined {
  return lockWithin(POD.networkLock, milliseconds);
}
