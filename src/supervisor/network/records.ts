/** What has been made for a pod's networks, as its directory says; the current directory is the pod's. */
import { POD } from '../../abi/pod-directory.ts';
import { readText } from '../../native/contents.ts';
import { readdir } from '../../native/directories.ts';
import { unless } from '../../native/errors.ts';
import { File, open_ } from '../../native/files.ts';
import { mkdirAll, unlink } from '../../native/paths.ts';
import { attempt, checked } from '../../native/syscall.ts';
import {
  type AttachmentRecord,
  attachmentFile,
  formatAttachmentRecord,
  parseAttachmentRecord,
} from '../../net/attachment-record.ts';
import { record } from '../record.ts';

const LOCK_EXCLUSIVE_NOW = 2 | 4;
const EAGAIN = -11;

export interface KeptRecord {
  /** Its file's name. */
  readonly file: string;
  readonly record: AttachmentRecord;
}

export function makeRecords(): void {
  mkdirAll(POD.networks, 0o750);
}

/** The file's name, by which it is written again. */
export function writeRecord(index: number, attachment: AttachmentRecord): string {
  const file = attachmentFile(index, attachment);
  record(`${POD.networks}/${file}`, formatAttachmentRecord(attachment), 0o640);
  return file;
}

export function removeRecord(file: string): void {
  unless(['ENOENT'], () => unlink(`${POD.networks}/${file}`));
}

/** In the order of the interfaces. @throws AbiError `bad-message`, SyntaxError */
export function readRecords(): KeptRecord[] {
  const names = unless(['ENOENT'], () => readdir(POD.networks)) ?? [];
  const files = names.filter((name) => /^\d+-.*\.json$/.test(name)).sort();
  return files.map((file) => ({ file, record: parseAttachmentRecord(readText(`${POD.networks}/${file}`)) }));
}

/** The open lock, which plugins inherit: it is free when none of them runs any more. Undefined while somebody has it. */
export function tryLock(): File | undefined {
  const file = File.open(POD.networkLock, open_.readWrite | open_.create, 0o640);
  const result = attempt('flock', file.fd, LOCK_EXCLUSIVE_NOW);
  if (result !== EAGAIN) {
    checked('flock', result, { path: POD.networkLock });
    return file;
  }
  file[Symbol.dispose]();
  return undefined;
}
