import { readlinkSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { FLAVOURS } from '../support/flavours.ts';
import { tinyImages } from '../support/images.ts';
import { eventually } from '../support/polling.ts';
import { useRkt } from '../support/rkt.ts';
import { endPod, startSandbox } from '../support/running-pod.ts';

const rkt = useRkt();
let image = '';
beforeAll(async () => {
  image = (await tinyImages()).aci.plain;
});

const ofHost = readlinkSync('/proc/self/ns/ipc');
const look = ['--exec=/bin/readlink', '--', '/proc/self/ns/ipc'];

describe.each(FLAVOURS)('$name', ({ image: stage1, ownKernel }) => {
  const run = (mode: string) =>
    rkt.run(['run', '--net=none', `--stage1-path=${stage1}`, `--ipc=${mode}`, image, ...look]);

  test('a pod has System V IPC of its own', async () => {
    for (const mode of ['auto', 'private']) {
      const { code, stdout } = await run(mode);
      expect(code).toBe(0);
      expect(stdout).toMatch(/^ipc:\[\d+\]\n$/);
      // Numbers of namespaces are a kernel's own.
      if (!ownKernel) expect(stdout).not.toBe(`${ofHost}\n`);
    }
  });

  test.runIf(ownKernel)('that of the host is out of its reach', async () => {
    const { code, stderr } = await run('parent');
    expect(code).toBe(254);
    expect(stderr).toBe('run: --ipc=parent: a virtual machine cannot have the IPC of its host\n');
  });

  test.runIf(!ownKernel)('or that of the host', async () => {
    expect(await run('parent')).toMatchObject({ code: 0, stdout: `${ofHost}\n` });
    const prepared = await rkt.output(['prepare', `--stage1-path=${stage1}`, image, ...look]);
    const { stdout } = await rkt.run(['run-prepared', '--net=none', '--ipc=parent', prepared.trim()]);
    expect(stdout).toBe(`${ofHost}\n`);
  });

  test.runIf(!ownKernel)('so has a sandbox', async () => {
    const pod = await startSandbox(rkt, [`--stage1-path=${stage1}`, '--ipc=parent']);
    await rkt.output(['app', 'add', pod.uuid, image, '--name=look', ...look]);
    await rkt.output(['app', 'start', pod.uuid, '--app=look']);
    await eventually('it has looked', async () =>
      (await rkt.output(['app', 'status', pod.uuid, '--app=look'])).includes('state=exited\n'),
    );
    expect(await rkt.output(['logs', '--app=look', '--stream=stdout', pod.uuid])).toBe(`${ofHost}\n`);
    await endPod(pod);
  });
});

test('what is no mode is refused', async () => {
  const { code, stderr } = await rkt.run(['run', '--ipc=shared', image]);
  expect({ code, stderr }).toEqual({
    code: 254,
    stderr: 'run: --ipc is auto, private, parent, not "shared"\n',
  });
});
