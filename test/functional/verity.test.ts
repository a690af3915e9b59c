import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { LayoutWriter } from '../support/layout-writer.ts';
import { savedUuid, useRkt } from '../support/rkt.ts';
import * as tar from '../support/tar-archive.ts';

// What a machine reads of images on disks is what was made of them, or an error.

const rkt = useRkt();
const MARK = 'as it was made, nine times out of nine';
const SCRIPT = 'cat /etc/marked && echo read; cat /etc/other';
const BLOCK_BYTES = 4096;
let layout: LayoutWriter;
let count = 0;

beforeAll(() => {
  layout = new LayoutWriter(rkt.path('layout'));
});

/** A new one each time: nobody finds what another test has changed. */
function newImage(): string {
  const base = tar.archive(
    tar.directory('bin'),
    tar.entry({ name: 'bin/busybox', mode: 0o755 }, readFileSync('/bin/busybox')),
    ...['sh', 'cat', 'grep', 'wc', 'ls'].map((name) => tar.symlink(`bin/${name}`, 'busybox')),
  );
  const top = tar.archive(
    tar.directory('etc'),
    tar.file('etc/marked', `${MARK} ${++count}\n`),
    tar.file('etc/other', 'other\n'),
  );
  return layout.tag(layout.image({ layers: [base, top], config: { Cmd: ['/bin/sh'] } }), `marked-${count}`);
}

function configure(verity: boolean): void {
  rkt.configure('vm', { rootfs: 'block', verity });
}

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Of the pod: the file system of the uppermost layer, and what is to be read of it. */
  readonly top: string;
  readonly seals: readonly { readonly blocks: number }[] | undefined;
}

async function ran(image: string): Promise<Ended> {
  const file = rkt.path(`uuid-${++count}`);
  const words = [
    'run',
    '--net=none',
    `--uuid-file-save=${file}`,
    image,
    '--exec=/bin/sh',
    '--',
    '-c',
    SCRIPT,
  ];
  const { code, stdout, stderr } = await rkt.run(words);
  const plan = join(rkt.dir, 'pods/run', savedUuid(file) ?? '', 'root-disks.json');
  const { images, seals } = JSON.parse(readFileSync(plan, 'utf8'));
  return { code, stdout, stderr, top: images.at(-1), seals };
}

/** Changes one bit of a file. */
function spoil(path: string, at: number): void {
  const content = readFileSync(path);
  content.writeUInt8(content.readUInt8(at) ^ 1, at);
  writeFileSync(path, content);
}

const marked = (path: string) => readFileSync(path).indexOf(MARK);

describe('a machine that checks its images', () => {
  test('reads what was made, by devices that check it', async () => {
    configure(true);
    const { code, stdout, stderr, seals } = await ran(newImage());
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^as it .*\nread\nother\n/) });
    expect(stderr).not.toMatch(/is not what was made/);
    expect(seals).toHaveLength(2);
  });

  test('has an error of input instead of a block that was changed, says which, and goes on', async () => {
    configure(true);
    const image = newImage();
    const { top } = await ran(image);
    const at = marked(top);
    spoil(top, at);
    const { code, stdout, stderr } = await ran(image);
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^other\n/) });
    expect(stderr).toContain('cat: read error: Input/output error');
    const block = Math.floor(at / BLOCK_BYTES);
    expect(stderr).toContain(`guest: image-1: block ${block} is not what was made of it`);
  });

  test('does not start a pod of an image whose hashes were changed, and says why', async () => {
    configure(true);
    const image = newImage();
    const { top, seals } = await ran(image);
    const blocks = seals?.[1]?.blocks ?? 0;
    spoil(top, blocks * BLOCK_BYTES);
    const { code, stdout, stderr } = await ran(image);
    expect({ code, stdout }).toEqual({ code: 254, stdout: '' });
    expect(stderr).toMatch(/the pod's init gave up: [^\n]*\/disks\/image-1/);
    expect(stderr).toContain(`image-1: block ${blocks}, of hashes, is not what was made of it`);
  });
});

describe('a machine that does not', () => {
  test('reads whatever there is, which image verify finds and makes anew', async () => {
    configure(false);
    const image = newImage();
    const { top, seals } = await ran(image);
    expect(seals).toBeUndefined();
    spoil(top, marked(top));
    const wrong = await ran(image);
    expect(wrong.stdout).toMatch(/^`s it was made/);
    const id = (await rkt.output(['fetch', '--full', image])).trim();
    const { stdout, stderr } = await rkt.run(['image', 'verify', id]);
    expect(stdout + stderr).toMatch(/disk image of layer sha256:/);
    expect((await ran(image)).stdout).toMatch(/^as it was made/);
  });
});

test('an image of a version that made no hashes is made anew', async () => {
  configure(true);
  const image = newImage();
  const { top, seals } = await ran(image);
  const note = join(top, '../digest');
  const [digest, size] = readFileSync(note, 'utf8').split('\n');
  writeFileSync(note, `${digest}\n${size}\n`);
  truncateSync(top, (seals?.[1]?.blocks ?? 0) * BLOCK_BYTES);
  const again = await ran(image);
  expect(again.stdout).toMatch(/^as it was made/);
  expect(again.seals?.[1]).not.toEqual(seals?.[1]);
});
