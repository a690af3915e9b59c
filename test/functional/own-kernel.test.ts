import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { machineImageWith } from '../../tools/build.ts';
import { kernelDir } from '../../tools/kernel.ts';
import { droppedOptions, optionsOf, parseKernelConfig } from '../../tools/kernel-config.ts';
import { buildOwnKernel, KERNEL_CONFIG } from '../../tools/own-kernel.ts';
import { buildDir } from '../../tools/paths.ts';
import { writeWhole } from '../../tools/step.ts';
import { testConfinement } from '../support/confinement-tests.ts';
import { tinyImages } from '../support/images.ts';
import { useRkt } from '../support/rkt.ts';
import { configureTemplates, noneIsMade } from '../support/templates.ts';

// In campaigns only (vitest.config.ts): the first time it compiles a kernel. The image of the build, which other tests have, stays as it is.

const IMAGE = join(buildDir, 'test-images', 'stage1-kvm-own-kernel.aci');
const COMPILING_MS = 2 * 60 * 60 * 1000;

const rkt = useRkt();
let key = '';

beforeAll(async () => {
  ({ key } = await buildOwnKernel());
  await writeWhole(IMAGE, await machineImageWith(key));
}, COMPILING_MS);

/** What a pod of one app prints, which runs a line of shell. */
async function printed(script: string, ...flags: readonly string[]): Promise<string> {
  const { aci } = await tinyImages();
  const pod = ['run', '--net=none', `--stage1-path=${IMAGE}`, ...flags, aci.plain];
  return rkt.output([...pod, '--exec=/bin/sh', '--', '-c', script]);
}

describe('our kernel', () => {
  test('has every option of its configuration', () => {
    const options = optionsOf(parseKernelConfig(readFileSync(KERNEL_CONFIG, 'utf8')));
    expect(droppedOptions(options, readFileSync(join(kernelDir, key, 'config'), 'utf8'))).toEqual([]);
  });

  test('runs a pod, and needs no modules', async () => {
    expect(await printed('uname -r; test -e /proc/modules || echo none')).toMatch(/^6\.12\.\d+-rkt\nnone\n$/);
  });

  test('has the file systems of pods, and the device mapper', async () => {
    const seen = (await printed('cut -f2 /proc/filesystems; cut -d" " -f3 /proc/misc')).split('\n');
    for (const wanted of ['ext4', 'erofs', 'overlay', 'virtiofs', 'fuse', 'tmpfs', 'cgroup2', 'mqueue'])
      expect(seen).toContain(wanted);
    expect(await printed('cat /proc/misc')).toMatch(/ device-mapper$/m);
  });

  test('gives a pod its disks', async () => {
    const disk = ['--volume=data,kind=empty,size=32Mi', '--mount=volume=data,target=/data'];
    expect(await printed('grep " /data " /proc/mounts | cut -d" " -f3', ...disk)).toBe('ext4\n');
  });

  test.each([['virtiofs'], ['block']])(
    'starts a pod from a saved machine, with roots on %s',
    async (roots) => {
      configureTemplates(rkt, { scope: 'host' });
      onTestFinished(() => configureTemplates(rkt, { scope: 'off' }));
      const { aci } = await tinyImages();
      const pod = ['run', '--net=none', `--stage1-path=${IMAGE}`, `--rootfs=${roots}`, aci.plain];
      const run = () => rkt.run(['--debug', ...pod, '--exec=/bin/uname', '--', '-r']);
      expect((await run()).stderr).toContain('cold start: there is no template');
      await noneIsMade(rkt);
      const { code, stdout, stderr } = await run();
      expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringMatching(/-rkt\n$/) });
      expect(stderr).toContain('starts from the template');
      expect(stderr).not.toContain('cold start');
    },
  );

  test('checks what it reads of images', async () => {
    rkt.configure('vm', { rootfs: 'block', verity: true });
    onTestFinished(() => rkt.configure('vm', { rootfs: 'virtiofs' }));
    expect(await printed('cat /sys/block/dm-0/size; id -u')).toMatch(/^[1-9]\d*\n0\n$/);
  });
});

describe('confinement on our kernel', () => {
  testConfinement(rkt, { name: 'own-kernel', image: IMAGE, flags: [] });
});
