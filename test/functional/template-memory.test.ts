import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { TEMPLATE } from '../../src/abi/templates.ts';
import { tinyImages } from '../support/images.ts';
import { guestMemory, mappingsOf, qemuOf as qemuPid } from '../support/mappings.ts';
import { useRkt } from '../support/rkt.ts';
import { endPod, type RunningPod, startPod, useRunningPods } from '../support/running-pod.ts';
import { noneIsMade, ownTemplates } from '../support/templates.ts';

// Whose the memory is that a machine was restored with.

const rkt = useRkt();
const pods = useRunningPods();
const scope = join(rkt.dir, 'templates', 'tenant-crew');
const [O_RDONLY, O_ACCMODE] = [0, 3];
let image = '';

beforeAll(async () => {
  image = (await tinyImages()).aci.plain;
  ownTemplates(rkt, { scope: 'tenant', tenant: 'crew' });
});

async function started(...ofApp: readonly string[]): Promise<RunningPod> {
  const idle = ['--exec=/bin/sleep', '--', '100000'];
  const pod = await startPod(rkt, [image, ...ofApp, ...idle]);
  pods.push(pod);
  return pod;
}
const inside = (pod: RunningPod, ...command: string[]) => rkt.output(['enter', pod.uuid, ...command]);

/** Of the template for pods with such roots, and for those that are started from now on. */
async function templateMemory(rootfs: 'block' | 'virtiofs'): Promise<string> {
  rkt.configure('vm', { rootfs });
  const key = (await rkt.output(['template', 'build', '--interfaces=0'])).trim();
  return join(scope, key, TEMPLATE.memory);
}

const qemuOf = ({ uuid }: RunningPod) => qemuPid(rkt, uuid);

/** How a process has a file open, each time. */
function openings(pid: number, path: string): number[] {
  return readdirSync(`/proc/${pid}/fd`)
    .filter((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`).startsWith(path))
    .map((fd) => {
      const flags = /^flags:\s+([0-7]+)$/m.exec(readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8'))?.[1];
      return Number.parseInt(flags ?? '', 8) & O_ACCMODE;
    });
}

const digest = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');
const mapsKernel = (pid: number) => mappingsOf(pid).some(({ path }) => path.includes('vmlinux'));

describe('machines without a share', () => {
  test('read the memory of one template, which none of them can write to', async () => {
    const memory = await templateMemory('block');
    const before = digest(memory);
    const two = [await started(), await started()];
    for (const pid of two.map(qemuOf)) {
      expect(guestMemory(pid)).toMatchObject({ access: 'rw-p', path: memory });
      expect(openings(pid, memory)).toEqual([O_RDONLY]);
    }
    // What the one writes is not the other's.
    for (const pod of two) await inside(pod, '/bin/sh', '-c', 'hostname > /dev/shm/name');
    const names = await Promise.all(two.map((pod) => inside(pod, '/bin/cat', '/dev/shm/name')));
    expect(names).toEqual(two.map(({ uuid }) => `rkt-${uuid}\n`));
    await Promise.all(two.map(endPod));
    expect(digest(memory)).toBe(before);
  });

  test('go on when their template is removed', async () => {
    const memory = await templateMemory('block');
    const pod = await started();
    await rkt.output(['template', 'rm', basename(dirname(memory))]);
    expect(await inside(pod, '/bin/echo', 'still here')).toBe('still here\n');
    expect(guestMemory(qemuOf(pod)).path).toMatch(/\/memory \(deleted\)$/);
  });
});

test('a machine with a share has a copy, which the share is given, too', async () => {
  const memory = await templateMemory('virtiofs');
  const pod = await started();
  expect(guestMemory(qemuOf(pod))).toMatchObject({ access: 'rw-s', path: '/memory/ram' });
  expect(openings(qemuOf(pod), memory)).toEqual([]);
});

test('a kernel stays mapped where it has booted, and nowhere else', async () => {
  rkt.configure('vm', { rootfs: 'block' });
  const cold = await started('--memory=32Mi');
  expect(mapsKernel(qemuOf(cold))).toBe(true);
  await noneIsMade(rkt);
  const warm = await started('--memory=32Mi');
  expect(mapsKernel(qemuOf(warm))).toBe(false);
});
