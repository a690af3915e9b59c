import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { tinyImages } from '../support/images.ts';
import { useRkt } from '../support/rkt.ts';

const rkt = useRkt();
const hardware = /^flags\s*:.*\b(vmx|svm)\b/m.test(readFileSync('/proc/cpuinfo', 'utf8'));
let image = '';
beforeAll(async () => {
  image = (await tinyImages()).aci.plain;
});

function run(accelerator: string) {
  return rkt.run(['run', '--net=none', image], { env: { RKT_HYPERVISOR_ACCEL: accelerator } });
}

test('tcg can be asked for', async () => {
  const { code, stdout } = await run('tcg');
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'hello from the image\n' });
});

test('another word is refused', async () => {
  const { code, stderr } = await run('fast');
  expect(code).toBe(254);
  expect(stderr).toMatch(/RKT_HYPERVISOR_ACCEL.*fast/);
});

function itHasHardware(): void {
  test('kvm can be asked for', async () => {
    expect((await run('kvm')).code).toBe(0);
  });

  test('without a choice nothing is said of emulation', async () => {
    const { code, stderr } = await rkt.run(['run', '--net=none', image]);
    expect(code).toBe(0);
    expect(stderr).not.toMatch(/emulation/);
  });
}

function itHasNone(): void {
  test('kvm fails before a machine is started, and says what the CPU lacks', async () => {
    const { code, stdout, stderr } = await run('kvm');
    expect({ code, stdout }).toEqual({ code: 254, stdout: '' });
    expect(stderr).toMatch(/vmx/);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });

  test('without a choice one line says that the machine is emulated', async () => {
    const { code, stderr } = await rkt.run(['run', '--net=none', image]);
    expect(code).toBe(0);
    expect(stderr.split('\n').filter((line) => /emulation/.test(line))).toHaveLength(1);
  });
}

if (hardware) describe('a machine with hardware virtualization', itHasHardware);
else describe('a machine without hardware virtualization', itHasNone);
