import { chmodSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ensureLockFile, tryShared } from '../../src/os/lock.ts';
import { tinyImages } from '../support/images.ts';
import { eventually } from '../support/polling.ts';
import { useRkt } from '../support/rkt.ts';

const rkt = useRkt();

test('a damaged layer is not replaced while a pod is being made, which may have taken it', async () => {
  const { aci } = await tinyImages();
  const { stdout } = await rkt.run(['fetch', '--full', aci.plain]);
  const id = stdout.trim();
  const [layer = ''] = readdirSync(join(rkt.dir, 'cas/layer'));
  const root = join(rkt.dir, 'cas/layer', layer, 'rootfs');
  chmodSync(root, 0o700);
  // As whoever prepares a pod has it.
  mkdirSync(join(rkt.dir, 'locks'));
  const preparing = tryShared(ensureLockFile(join(rkt.dir, 'locks/prepareLock')));
  expect(preparing).toBeDefined();
  const verifying = rkt.start(['image', 'verify', id]);
  await eventually('it waits', () => verifying.stderr.includes('pods that are being prepared'));
  expect(statSync(root).mode & 0o777).toBe(0o700);
  preparing?.release();
  expect(await verifying.finished).toMatchObject({ code: 0, stdout: expect.stringContaining('rebuilt') });
  expect(statSync(join(rkt.dir, 'cas/layer', layer, 'rootfs')).mode & 0o777).toBe(0o755);
});
