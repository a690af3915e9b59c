import { beforeAll, describe, expect, it } from 'vitest';
import { useEngine } from '../../../../src/native/engine.ts';
import { parseKernelEvent } from '../../../../src/native/netlink/kernel-events.ts';
import { koffiEngine } from '../../../support/koffi-syscall.ts';

beforeAll(() => useEngine(koffiEngine));

const event = (text: string) => parseKernelEvent(new TextEncoder().encode(text));

describe('an event of the kernel', () => {
  it('is variables, behind what has happened to which device', () => {
    const text = 'change@/devices/virtual/block/dm-1\0ACTION=change\0DEVNAME=dm-1\0OPTIONS=a=b\0';
    expect([...event(text)]).toEqual([
      ['ACTION', 'change'],
      ['DEVNAME', 'dm-1'],
      ['OPTIONS', 'a=b'],
    ]);
  });

  it.each(['', 'add@/x', 'add@/x\0', 'add@/x\0noise\0'])('may have none: %j', (text) => {
    expect(event(text).size).toBe(0);
  });
});
