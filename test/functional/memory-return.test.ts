import { beforeAll, expect, test } from 'vitest';
import { tinyImages } from '../support/images.ts';
import { guestMemory, qemuOf } from '../support/mappings.ts';
import { eventually } from '../support/polling.ts';
import { useRkt } from '../support/rkt.ts';
import { startPod, useRunningPods } from '../support/running-pod.ts';
import { ownTemplates } from '../support/templates.ts';

// What a guest frees goes back to the host.

const rkt = useRkt();
const pods = useRunningPods();
const FILLED_KIB = 96 * 1024;
let image = '';

beforeAll(async () => {
  image = (await tinyImages()).aci.plain;
  ownTemplates(rkt, { scope: 'host' });
});

test.each([
  ["a template's memory", 'block', '/templates/host/', ''],
  ['a copy of it', 'virtiofs', '/memory/ram', ''],
  ['memory of its own', 'virtiofs', '/memfd:', 'of=mine'],
])('that of a machine which began with %s', async (_, rootfs, path, parameters) => {
  rkt.configure('vm', { rootfs });
  await rkt.output(['template', 'build', '--interfaces=0']);
  const args = [image, '--exec=/bin/sleep', '--', '100000'];
  const pod = await startPod(rkt, args, { env: { RKT_HYPERVISOR_EXTRA_KERNEL_PARAMS: parameters } });
  pods.push(pod);
  const resident = () => guestMemory(qemuOf(rkt, pod.uuid)).rss;
  const inside = (script: string) => rkt.output(['enter', pod.uuid, '/bin/sh', '-c', script]);
  expect(guestMemory(qemuOf(rkt, pod.uuid)).path).toContain(path);
  await inside(`head -c ${FILLED_KIB * 1024} /dev/urandom > /dev/shm/much`);
  const filled = resident();
  expect(filled).toBeGreaterThan(FILLED_KIB);
  await inside('rm /dev/shm/much');
  await eventually('the host has most of it again', () => resident() < filled - FILLED_KIB * 0.75);
});
