import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  linkSync,
  mkdirSync,
  openSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { formatTarEntry, TAR_END, tarPadding } from '../../../src/abi/tar.ts';
import { open, open_ } from '../../../src/native/files.ts';
import { TreeArchive } from '../../../src/native/tree-archive.ts';
import { nativeScratch } from '../../support/native-scratch.ts';
import { treeListing } from '../../support/tree-listing.ts';

const scratch = nativeScratch();
const at = (name: string) => join(scratch, name);

/** The tree as a tar, and what it does not hold. */
function archived(directory: string, path: string, rules = { layer: false, reservesNames: false }) {
  const parts: Uint8Array[] = [];
  const leftOut: string[] = [];
  const archive = new TreeArchive(
    {
      format: formatTarEntry,
      padding: tarPadding,
      write: (bytes) => parts.push(bytes.slice()),
      leaveOut: (path, reason) => leftOut.push(`${path} ${reason}`),
    },
    rules,
  );
  const fd = open(directory, open_.readOnly | open_.directory);
  archive.add(fd, '.', path);
  closeSync(fd);
  const tar = Buffer.concat([...parts, TAR_END]);
  return {
    tar,
    leftOut,
    names: execFileSync('tar', ['-t'], { input: tar, encoding: 'utf8' }).split('\n').slice(0, -1),
  };
}

test('GNU tar unpacks the same tree', () => {
  const tree = at('tree');
  mkdirSync(join(tree, 'dir/below'), { recursive: true });
  const long = join('dir', 'n'.repeat(200), 'm'.repeat(200));
  mkdirSync(join(tree, long), { recursive: true });
  writeFileSync(join(tree, long, 'file'), 'deep');
  writeFileSync(join(tree, 'empty'), '');
  writeFileSync(join(tree, 'set-user-id'), 'x');
  chmodSync(join(tree, 'set-user-id'), 0o6751);
  linkSync(join(tree, 'set-user-id'), join(tree, 'dir/hard'));
  symlinkSync('/etc/passwd', join(tree, 'link'));
  symlinkSync('t'.repeat(250), join(tree, 'dir/long-link'));
  execFileSync('mkfifo', [join(tree, 'fifo')]);
  writeFileSync(Buffer.concat([Buffer.from(`${tree}/`), Buffer.from([0x66, 0xff, 0x0a])]), 'odd name');
  writeFileSync(join(tree, 'large'), Buffer.alloc(700_001, 'ab'));
  const fd = openSync(join(tree, 'sparse'), 'w');
  writeSync(fd, 'data', 1_000_000);
  closeSync(fd);
  truncateSync(join(tree, 'sparse'), 200_000_000);
  utimesSync(join(tree, 'empty'), 0, 1.5);
  chmodSync(join(tree, 'dir/below'), 0o1700);
  const { tar, leftOut } = archived(tree, '');
  expect(leftOut).toEqual([]);
  expect(tar.length).toBeLessThan(2_000_000);
  mkdirSync(at('unpacked'));
  execFileSync('tar', ['-xp', '--numeric-owner', '-C', at('unpacked')], { input: tar });
  expect(treeListing(at('unpacked'))).toEqual(treeListing(tree));
  const blocks = Number(execFileSync('stat', ['-c', '%b', at('unpacked/sparse')], { encoding: 'utf8' }));
  expect(blocks * 512).toBeLessThan(1_000_000);
});

test('an archive has the name it is to have, and names in their order', () => {
  mkdirSync(at('named/b'), { recursive: true });
  writeFileSync(at('named/a'), '');
  writeFileSync(at('named/b/c'), '');
  expect(archived(at('named'), '').names).toEqual(['./', 'a', 'b/', 'b/c']);
  expect(archived(at('named'), 'rootfs').names).toEqual(['rootfs/', 'rootfs/a', 'rootfs/b/', 'rootfs/b/c']);
});

test('what an archive cannot hold is left out, and told', async () => {
  mkdirSync(at('odd/sub'), { recursive: true });
  writeFileSync(at('odd/sub/.wh.x'), '');
  const server = createServer().listen(at('odd/socket'));
  await new Promise((resolve) => server.once('listening', resolve));
  const reserving = { layer: false, reservesNames: true };
  const { names, leftOut } = archived(at('odd'), '', reserving);
  server.close();
  expect(names).toEqual(['./', 'sub/']);
  expect(leftOut).toEqual(['"socket" is a socket', '"sub/.wh.x" such a name removes others in an OCI image']);
  expect(archived(at('odd'), '').names).toContain('sub/.wh.x');
});

test('what no image may hold is refused', () => {
  mkdirSync(at('deep'));
  let cwd = at('deep');
  execFileSync('sh', ['-c', 'for i in $(seq 300); do mkdir d && cd -P d || exit 1; done'], { cwd });
  expect(() => archived(at('deep'), '')).toThrow(/^"d\/d\/.*" is deeper than 256 directories$/);
  mkdirSync(at('huge'));
  cwd = at('huge');
  writeFileSync(at('huge/file'), '');
  truncateSync(at('huge/file'), 2 ** 40 + 1);
  expect(() => archived(cwd, '')).toThrow('"file" is larger than 1099511627776 bytes');
});
