/** Why a program cannot be started, in words: the kernel's own answer is the same ENOENT for three different reasons. */

import { machineName, parseElf } from './elf.ts';
import { utf8Decode } from './engine.ts';
import { errnoMeaning, errnoName } from './errno.ts';
import { unless } from './errors.ts';
import { File, open_, read } from './files.ts';
import { access } from './paths.ts';
import { exists, type FileKind, statIfPresent } from './stat.ts';

/** What can be seen of a file that the kernel refused to execute. */
export interface Evidence {
  readonly kind: FileKind | undefined;
  /** There is something of this name, even if it leads to nothing. */
  readonly isLink: boolean;
  readonly executable: boolean;
  /** The file's first bytes; none where it cannot be read. */
  readonly head: Uint8Array;
  exists(path: string): boolean;
}

const HEAD_BYTES = 8192;

export function explainExecFailure(path: string, errno: number): string {
  const kind = statIfPresent(path)?.kind;
  return describeExecFailure(path, errno, {
    kind,
    isLink: exists(path),
    executable: access(path, 'execute'),
    head: kind === 'file' ? readHead(path) : new Uint8Array(0),
    exists: (other) => statIfPresent(other) !== undefined,
  });
}

export function describeExecFailure(path: string, errno: number, evidence: Evidence): string {
  if (evidence.kind === undefined) {
    const link = evidence.isLink
      ? 'is a link that leads to nothing in the image'
      : 'no such file in the image';
    return `${path}: ${link}`;
  }
  if (evidence.kind === 'directory') return `${path}: is a directory`;
  switch (errnoName(errno)) {
    case 'ENOENT':
      return `${path}: ${missingPart(evidence)}`;
    case 'EACCES':
      return `${path}: ${evidence.executable ? forbiddenPart(evidence) : 'is not executable'}`;
    case 'ENOEXEC':
      return `${path}: ${wrongFormat(evidence)}`;
    default:
      return `${path}: ${errnoName(errno)}: ${errnoMeaning(errno)}`;
  }
}

function missingPart({ head, exists }: Evidence): string {
  const script = scriptInterpreter(head);
  if (script !== undefined) return `its interpreter ${script} (first line) is not in the image`;
  const loader = parseElf(head)?.interpreter;
  if (loader !== undefined && !exists(loader)) return `its loader ${loader} is not in the image`;
  return 'the kernel finds a part of it missing';
}

function forbiddenPart({ head }: Evidence): string {
  const interpreter = scriptInterpreter(head) ?? parseElf(head)?.interpreter;
  return interpreter === undefined
    ? 'is on a file system or in a directory that forbids execution'
    : `its interpreter ${interpreter} cannot be executed`;
}

function wrongFormat({ head }: Evidence): string {
  if (head.length === 0) return 'is empty or cannot be read';
  const elf = parseElf(head);
  if (elf === undefined)
    return 'is neither a program nor a script with an interpreter in its first line (#!)';
  const wanted = 62;
  return elf.machine === wanted
    ? 'is a broken program file'
    : `is a program for ${machineName(elf.machine)}, not for ${machineName(wanted)}`;
}

/** The path in `#! /bin/sh -e`. */
function scriptInterpreter(head: Uint8Array): string | undefined {
  if (head[0] !== 0x23 || head[1] !== 0x21) return undefined;
  const end = head.indexOf(0x0a);
  const line = utf8Decode(head.subarray(2, end === -1 ? Math.min(head.length, 256) : end)).trim();
  return line.split(/[ \t]/)[0];
}

function readHead(path: string): Uint8Array {
  const buffer = new Uint8Array(HEAD_BYTES);
  const length = unless(['EACCES', 'EIO', 'EPERM'], () => {
    using file = File.open(path, open_.readOnly);
    return read(file.fd, buffer);
  });
  return buffer.subarray(0, length ?? 0);
}
