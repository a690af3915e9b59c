import { relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildDir } from '../../tools/paths.ts';
import { labModules } from '../support/lab-vm/modules.ts';
import { bootLabVm, type LabVm } from '../support/lab-vm.ts';
import { compileTestProgram } from '../support/native-program.ts';

// This machine's kernel may lack vhost-net: the lab's has it. A guest of a guest that is emulated itself does not answer in minutes, so
// this is about what QEMU makes of the devices that a supervisor hands to it.

const MAKE_ROOT = `
mkdir /tmp/host; mount -t tmpfs tmpfs /tmp/host; cd /tmp/host
mkdir usr dev proc
mount -t virtiofs -o ro usr usr; mount --bind /dev dev; mount --bind /proc proc
for name in bin lib lib64; do ln -s usr/$name $name; done
`;
const QMP = ['qmp_capabilities', 'query-status', 'quit'].map((execute) => JSON.stringify({ execute }));

describe('where the kernel has vhost-net', () => {
  let vm: LabVm;
  let program = '';
  beforeAll(async () => {
    const modules = await labModules(['vhost_net', 'tun']);
    program = `/build/${relative(buildDir, await compileTestProgram('vhost-qemu'))}`;
    vm = await bootLabVm({
      memoryMegabytes: 768,
      shares: [{ tag: 'usr', directory: '/usr', constant: true }],
    });
    await vm.sh(`sh ${modules}/load; ${MAKE_ROOT}`);
  });
  afterAll(() => {
    vm?.[Symbol.dispose]();
  });

  test.each([1, 2])('a QEMU without privileges has it for a device with %i queues', async (queues) => {
    const script = `printf '%s\\n' '${QMP.join("' '")}' | ${program} /tmp/host ${queues}`;
    const { code, stdout, stderr } = await vm.run(['sh', '-c', script], { seconds: 120 });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('"status": "prelaunch"');
  });
});
