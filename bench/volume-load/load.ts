/** What is done in a directory, on the host and in a pod by the same program: the milliseconds of each, a line each, on stdout. */
import { monotonicMilliseconds } from '../../src/native/clock.ts';
import { argv, utf8Encode } from '../../src/native/engine.ts';
import { close, open, open_, read, writeAll } from '../../src/native/files.ts';
import { mkdirAll, rename } from '../../src/native/paths.ts';
import { call } from '../../src/native/syscall.ts';
import { BLOCK_BYTES, BLOCKS, FILE_BYTES, SEQUENTIAL_BYTES, TREE_FILES } from './size.ts';

const STDOUT = 1;
const WRITE = open_.writeOnly | open_.create | open_.truncate;
const CHUNK = new Uint8Array(1024 * 1024).fill(7);
const DONT_NEED = 4;

const place = argv()[1] ?? '.';

function timed(what: () => void): void {
  const start = monotonicMilliseconds();
  what();
  writeAll(STDOUT, utf8Encode(`${(monotonicMilliseconds() - start).toFixed(1)}\n`));
}

/** It is on the disk in the end. */
function writeSequentially(): void {
  const fd = open(`${place}/large`, WRITE, 0o644);
  for (let at = 0; at < SEQUENTIAL_BYTES; at += CHUNK.length) writeAll(fd, CHUNK);
  call('fsync', fd);
  close(fd);
}

/** Of a machine's own cache nothing is left; what the host has in memory it may have. */
function forget(fd: number): void {
  call('fadvise64', fd, 0, 0, DONT_NEED);
}

function readSequentially(): void {
  const fd = open(`${place}/large`, open_.readOnly);
  while (read(fd, CHUNK) > 0);
  close(fd);
}

/** Half of them read, half of them written, each at a place of its own; always the same ones. */
function seek(): void {
  const fd = open(`${place}/large`, open_.readWrite);
  const block = new Uint8Array(BLOCK_BYTES);
  const places = SEQUENTIAL_BYTES / BLOCK_BYTES;
  for (let count = 0, at = 1; count < BLOCKS; count++) {
    at = (at * 1103515245 + 12345) % 2 ** 31;
    const offset = (at % places) * BLOCK_BYTES;
    if (count % 2 === 0) call('pread64', fd, block, block.length, offset);
    else call('pwrite64', fd, block, block.length, offset);
  }
  call('fsync', fd);
  close(fd);
}

const source = (number: number) => `${place}/tree/${number % 40}/${number}.c`;

/** As tar does it. */
function unpack(): void {
  for (let number = 0; number < TREE_FILES; number++) {
    if (number < 40) mkdirAll(`${place}/tree/${number}`, 0o755);
    writeNew(source(number));
  }
}

/** As make and a compiler do it, without the compiling: each file is read, and its result written beside it under another name first. */
function build(): void {
  const bytes = new Uint8Array(FILE_BYTES);
  for (let number = 0; number < TREE_FILES; number++) {
    const fd = open(source(number), open_.readOnly);
    while (read(fd, bytes) > 0);
    close(fd);
    const object = source(number).replace('.c', '.o');
    writeNew(`${object}.tmp`);
    rename(`${object}.tmp`, object);
  }
}

function writeNew(path: string): void {
  const fd = open(path, WRITE, 0o644);
  writeAll(fd, CHUNK.subarray(0, FILE_BYTES));
  close(fd);
}

timed(writeSequentially);
{
  const fd = open(`${place}/large`, open_.readOnly);
  forget(fd);
  close(fd);
}
timed(readSequentially);
timed(seek);
timed(unpack);
timed(build);
