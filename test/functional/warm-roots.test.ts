import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { TEMPLATE } from '../../src/abi/templates.ts';
import { tinyImages } from '../support/images.ts';
import { LayoutWriter } from '../support/layout-writer.ts';
import { savedUuid, useRkt } from '../support/rkt.ts';
import { endPod, startPod } from '../support/running-pod.ts';
import * as tar from '../support/tar-archive.ts';
import { noneIsMade, ownTemplates } from '../support/templates.ts';

// Machines that are restored and have their roots on disks, which they find only then.

const rkt = useRkt();
const SCOPE = join(rkt.dir, 'templates/host');
let image = '';
let count = 0;

beforeAll(async () => {
  image = (await tinyImages()).aci.plain;
  ownTemplates(rkt, { scope: 'host' });
  rkt.configure('vm', { rootfs: 'block' });
});

/** Runs a pod of one app to its end, which must have had such a machine: the first of a kind leaves it. */
async function ran(script: string, flags: readonly string[] = [], from = image) {
  const first = await started(script, flags, from);
  if (!first.stderr.includes('there is no template')) return first;
  await noneIsMade(rkt);
  const second = await started(script, flags, from);
  expect(second.stderr).toMatch(/starts from the template [0-9a-f]{16}/);
  return second;
}

async function started(script: string, flags: readonly string[], from: string) {
  const file = rkt.path(`uuid-${++count}`);
  const words = ['--debug', 'run', '--net=none', `--uuid-file-save=${file}`, ...flags, from, '--name=app'];
  const { code, stdout, stderr } = await rkt.run([...words, '--exec=/bin/sh', '--', '-c', script]);
  const uuid = savedUuid(file) ?? '';
  expect(rootsOf(uuid).kind).toBe('block');
  return { code, stdout, stderr, uuid };
}

const rootsOf = (uuid: string) =>
  JSON.parse(readFileSync(join(rkt.dir, 'pods/run', uuid, 'root-disks.json'), 'utf8'));

test('what an app writes is there for cp and export, and its exit code comes back', async () => {
  const { code, stdout, stderr, uuid } = await ran('echo written > /kept; rm /etc/group; cat /kept; exit 7');
  expect({ code, stdout }).toEqual({ code: 7, stdout: 'written\n' });
  expect(stderr).not.toContain('cold start');
  await rkt.output(['cp', `${uuid}:/kept`, rkt.path('kept')]);
  expect(readFileSync(rkt.path('kept'), 'utf8')).toBe('written\n');
  await rkt.output(['export', uuid, rkt.path('kept.aci')]);
  const names = execFileSync('tar', ['-tf', rkt.path('kept.aci')], { encoding: 'utf8' }).split('\n');
  expect(names).toEqual(expect.arrayContaining(['rootfs/kept', 'rootfs/etc/passwd']));
  expect(names).not.toContain('rootfs/etc/group');
});

test('the parts of its start are of this machine, not of the one that was saved', async () => {
  const { uuid } = await ran('true');
  const { spans } = JSON.parse(await rkt.output(['analyze', '--format=json', uuid]));
  const took = (name: string) =>
    spans.find((span: { readonly name: string }) => span.name === name)?.duration;
  expect(took('kernel')).toBe(0);
  expect(took('vm')).toBeGreaterThan(0);
  expect(took('init')).toBeGreaterThan(0);
});

test('each pod writes for itself', async () => {
  await ran('echo mine > /mine');
  expect((await ran('ls /mine; df / | tail -n 1')).stdout).toMatch(/^overlay /);
});

test('an image of as many layers as there are disks is one app of many disks, and a deeper one of one', async () => {
  const layout = new LayoutWriter(rkt.path('layout'));
  const base = tar.archive(
    tar.directory('bin'),
    tar.entry({ name: 'bin/busybox', mode: 0o755 }, readFileSync('/bin/busybox')),
    ...['sh', 'cat'].map((name) => tar.symlink(`bin/${name}`, 'busybox')),
  );
  const of = (depth: number) => {
    const marks = Array.from({ length: depth - 1 }, (_, n) => tar.archive(tar.file(`layer-${n}`, String(n))));
    return layout.tag(layout.image({ layers: [base, ...marks], config: {} }), `of-${depth}`);
  };
  const [seven, ten] = [await ran('cat /layer-*', [], of(7)), await ran('cat /layer-*', [], of(10))];
  expect([seven, ten].map(({ stdout }) => stdout)).toEqual(['012345', '012345678']);
  expect([seven, ten].map(({ uuid }) => rootsOf(uuid).images.length)).toEqual([7, 1]);
});

describe('while it runs', () => {
  const VOLUME = ['--volume=v,kind=host,source=/etc', '--mount=volume=v,target=/v'];
  test.each([
    ['a pod has QEMU and its supervisor', [], ['qemu', 'supervisor'], ''],
    [
      'one with a volume of the host has a file server besides',
      VOLUME,
      ['qemu', 'supervisor', 'virtiofsd'],
      readFileSync('/etc/passwd', 'utf8'),
    ],
  ])('%s', async (_, flags, expected, passwd) => {
    await ran('true', flags);
    const app = [image, '--name=app', '--exec=/bin/sleep', '--', '100000'];
    const pod = await startPod(rkt, [...flags, ...app]);
    const { pods } = JSON.parse(await rkt.output(['stats', '--format=json', pod.uuid]));
    const names = pods[0].host.processes.map(({ name }: { readonly name: string }) => name);
    expect(names.sort()).toEqual(expected);
    const qemu = rkt.scope.processes().filter(({ name }) => name.startsWith('qemu'));
    expect(qemu).toHaveLength(1);
    expect(qemu[0]?.argv).toContain('-incoming');
    const inside = ['enter', pod.uuid, '/bin/sh', '-c', 'echo entered > /entered; cat /v/passwd; true'];
    expect(await rkt.output(inside)).toBe(passwd);
    await endPod(pod);
    await rkt.output(['cp', `${pod.uuid}:/entered`, rkt.path(`entered-${pod.uuid}`)]);
  });
});

test('a machine that cannot be restored is started cold, with the same disks', async () => {
  await ran('true');
  for (const key of readdirSync(SCOPE).filter((name) => !name.startsWith('.'))) {
    const state = join(SCOPE, key, TEMPLATE.state);
    const { size } = statSync(state);
    truncateSync(state, 0);
    truncateSync(state, size);
  }
  const { code, stdout, stderr, uuid } = await started('echo cold > /kept; cat /kept; exit 3', [], image);
  expect({ code, stdout }).toEqual({ code: 3, stdout: 'cold\n' });
  expect(stderr).toMatch(/cold start: .*could not be restored/);
  await rkt.output(['cp', `${uuid}:/kept`, rkt.path('cold')]);
  expect(readFileSync(rkt.path('cold'), 'utf8')).toBe('cold\n');
});
