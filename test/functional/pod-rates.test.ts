import { mkdirSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { writeFileImage } from '../support/file-image.ts';
import { FLAVOURS } from '../support/flavours.ts';
import { groupFiles } from '../support/pod-groups.ts';
import { useRkt } from '../support/rkt.ts';
import { endPod, startPod, startSandbox, useRunningPods } from '../support/running-pod.ts';
import { tool } from '../support/tool.ts';

// How fast a pod may read and write, by its flags.

const rkt = useRkt();
const pods = useRunningPods();
const BYTES = 3_000_000;
/** At a million bytes a second, less what a time slice of the kernel lets through at once. */
const LEAST_MS = 2000;
let image = '';

beforeAll(async () => {
  const files = rkt.path('files');
  mkdirSync(files);
  writeFileSync(`${files}/large`, Buffer.alloc(BYTES, 'x'));
  image = await writeFileImage(rkt.path('large.aci'), {
    ...{ name: 'example.com/large', exec: ['/bin/sh', '-c', 'sleep 1000'], files },
  });
});

/** So that it has to be read from its device once more. */
async function forget(): Promise<void> {
  const found = await tool('find', [rkt.dir, '-name', 'large', '-size', '+1000k', '-type', 'f']);
  const paths = found.trim().split('\n');
  expect(paths).not.toEqual(['']);
  for (const path of paths)
    await tool('dd', [`of=${path}`, 'oflag=nocache', 'conv=notrunc,fdatasync', 'count=0']);
}

describe.each(FLAVOURS)('$name', ({ image: stage1 }) => {
  const STAGE1 = `--stage1-path=${stage1}`;

  test('run: what is not in the cache is read no faster than it may be', async () => {
    const flags = ['--block-bandwidth=1M', '--strict-isolators'];
    const pod = await startPod(rkt, [STAGE1, ...flags, image]);
    pods.push(pod);
    await forget();
    const began = performance.now();
    const read = ['enter', pod.uuid, '/bin/sh', '-c', 'wc -c < /files/large'];
    expect(await rkt.output(read)).toBe(`${BYTES}\n`);
    expect(performance.now() - began).toBeGreaterThan(LEAST_MS);
  });

  test('run, prepare, app sandbox: the group of the pod has what was asked for', async () => {
    const flags = ['--block-iops=1500', '--block-bandwidth=20M', '--network-bandwidth=1M'];
    const [run, sandbox] = [
      await startPod(rkt, [STAGE1, ...flags, image]),
      await startSandbox(rkt, [STAGE1, ...flags]),
    ];
    pods.push(run, sandbox);
    for (const { uuid } of [run, sandbox]) {
      const operations = groupFiles(rkt.dir, uuid, 'blkio.throttle.write_iops_device', 'io.max').join('\n');
      expect(operations).toMatch(/^\d+:\d+ (.*wiops=)?1500( |$)/m);
      const bytes = groupFiles(rkt.dir, uuid, 'blkio.throttle.read_bps_device', 'io.max').join('\n');
      expect(bytes).toMatch(/^\d+:\d+ (.*rbps=)?20000000( |$)/m);
    }
    await endPod(sandbox);
    const prepared = (await rkt.output(['prepare', STAGE1, ...flags, image])).trim();
    expect(JSON.parse(await rkt.output(['cat-manifest', prepared])).isolators).toEqual([
      { name: 'resource/block-bandwidth', value: { default: true, limit: '20M' } },
      { name: 'resource/block-iops', value: { default: true, limit: '1500' } },
      { name: 'resource/network-bandwidth', value: { default: true, limit: '1M' } },
    ]);
  });
});

test.each([
  ['--block-bandwidth=10m', '--block-bandwidth: 10m is less than 4096 bytes a second'],
  ['--block-iops=0', '--block-iops: 0 is less than 1 operations a second'],
  ['--network-bandwidth=fast', '--network-bandwidth: expected a quantity'],
])('%s is refused', async (flag, message) => {
  const { code, stderr } = await rkt.run(['run', '--net=none', flag, image]);
  expect(code).toBe(254);
  expect(stderr).toContain(`run: ${message}`);
});
