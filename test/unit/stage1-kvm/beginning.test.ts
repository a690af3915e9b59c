import { readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { NO_NETWORK } from '../../../src/abi/network-plan.ts';
import { SystemError } from '../../../src/native/errors.ts';
import { open, open_ } from '../../../src/native/files.ts';
import { Report } from '../../../src/supervisor/report.ts';
import { Beginning, type BeginningOrder } from '../../../stage1-kvm/beginning.ts';
import { KvmError } from '../../../stage1-kvm/error.ts';
import type { MachineNetwork } from '../../../stage1-kvm/interfaces.ts';
import type { Spare } from '../../../stage1-kvm/spare-taking.ts';
import { closeTemplate, type OpenTemplate, type TemplateKind } from '../../../stage1-kvm/template-store.ts';
import { nativeScratch } from '../../support/native-scratch.ts';

const scratch = nativeScratch();

let count = 0;
const opened: string[] = [];

/** Which of the templates' files are open. */
function openFiles(): string[] {
  const places = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return '';
    }
  });
  return opened.filter((path) => places.includes(path)).map((path) => basename(path));
}

function openTemplate(): OpenTemplate {
  const path = join(scratch, `template-${++count}`);
  writeFileSync(path, '');
  opened.push(path);
  const [memory, state] = [open(path, open_.readOnly), open(path, open_.readOnly)];
  return { memory, state, scratch: undefined } as unknown as OpenTemplate;
}

const begun: Beginning[] = [];
afterEach(() => {
  for (const { template } of begun.splice(0)) if (template.open !== undefined) closeTemplate(template.open);
  expect(openFiles()).toEqual([]);
});

const image = { fd: 9, kind: 'file', serial: 'image-0', readOnly: true } as const;
const ORDER: BeginningOrder = {
  machine: { accelerator: 'tcg', size: { cpus: 1, memoryMiB: 256 } },
  qemu: '/usr/bin/qemu',
  disks: [image],
  scratchBytes: 4096,
  mayTake: true,
  cgroup: { kind: 'none', reason: 'of a test' },
};

interface Faults {
  readonly take?: Error;
  readonly settle?: Error;
  readonly joinTaps?: Error;
}

/** A pod whose template is there, and a spare of it. */
function begin(faults: Faults = {}, order: Partial<BeginningOrder> = {}, planned = 1) {
  const log: string[] = [];
  const done = (what: keyof Faults) => {
    log.push(what);
    if (faults[what] !== undefined) throw faults[what];
  };
  const spare = {
    interfaces: Array.from({ length: planned }, () => ({ taps: [40], vhosts: [] })),
    take: () => done('take'),
    settle: () => done('settle'),
    abandon: () => log.push('abandon'),
  } as unknown as Spare;
  const template = (machine: { devices: { interfaces: number } }) => {
    log.push(`template of ${machine.devices.interfaces}`);
    return { open: openTemplate(), kind: { key: 'k' } as TemplateKind, missing: undefined };
  };
  const beginning = new Beginning({ ...ORDER, ...order }, planned, new Report('test', false), {
    template,
    spare: () => {
      log.push('spare');
      return spare;
    },
  });
  begun.push(beginning);
  const network = (how: string): MachineNetwork => ({
    ...{ plan: NO_NETWORK, interfaces: planned, fds: [], qemuArguments: [how] },
  });
  const connection = (interfaces = planned) => ({
    interfaces,
    join: () => {
      log.push('join');
      return network('own taps');
    },
    joinTaps: () => {
      done('joinTaps');
      return network('its taps');
    },
  });
  return { beginning, connection, log, spare };
}

describe('a pod for whom a spare waits', () => {
  it('takes it before the networks are there, and joins it to these by its taps', () => {
    const { beginning, connection, log, spare } = begin();
    expect(log.splice(0)).toEqual(['template of 1', 'spare']);
    beginning.enter();
    expect(log.splice(0)).toEqual(['take']);
    expect(beginning.arrive()).toEqual(['rkt-tap0']);
    expect(beginning.join(connection()).qemuArguments).toEqual(['its taps']);
    expect(log).toEqual(['settle', 'joinTaps']);
    expect(beginning.spare).toBe(spare);
  });

  it('leaves it where plugins have made other interfaces, and has the template of these', () => {
    const { beginning, connection, log } = begin();
    const [first] = openFiles();
    beginning.enter();
    beginning.arrive();
    log.length = 0;
    expect(beginning.join(connection(2)).qemuArguments).toEqual(['own taps']);
    expect(log).toEqual(['abandon', 'template of 2', 'join']);
    expect(beginning.spare).toBeUndefined();
    expect(beginning.devices.interfaces).toBe(2);
    expect(openFiles()).toHaveLength(1);
    expect(openFiles()).not.toContain(first);
  });

  it.each([
    ['take', new SystemError('sendmsg', -32)],
    ['settle', new KvmError('vessel-failed', 'the keeper has gone')],
    ['joinTaps', new KvmError('vessel-failed', 'the tap has gone')],
    ['joinTaps', new SystemError('sendmsg', -17)],
  ] as const)('starts from the template where it cannot have it: %s, %s', (what, error) => {
    const { beginning, connection, log } = begin({ [what]: error });
    beginning.enter();
    const taps = beginning.arrive();
    if (what !== 'joinTaps') expect(taps).toEqual([]);
    const before = beginning.template.open;
    expect(beginning.join(connection()).qemuArguments).toEqual(['own taps']);
    expect(log.slice(log.indexOf(what))).toEqual([what, 'abandon', 'join']);
    expect(beginning.spare).toBeUndefined();
    expect(beginning.template.open).toBe(before);
  });

  it('hides no mistake of ours', () => {
    const { beginning } = begin({ take: new TypeError('a mistake') });
    expect(() => beginning.enter()).toThrow('a mistake');
  });
});

describe('a pod that can have no spare', () => {
  const device = { ...image, kind: 'block' } as const;
  it.each([
    ['has a share', { mayTake: false }],
    ['has no disk to write to', { scratchBytes: null }],
    ['has a disk that is written to', { disks: [{ ...image, readOnly: false }] }],
    ['has a disk that is not the image in its place', { disks: [{ ...image, serial: 'image-1' }] }],
    ['has a disk that is a device', { disks: [device] }],
  ] as const)('asks for none: it %s', (_, order) => {
    const { beginning, connection, log } = begin({}, order);
    beginning.enter();
    expect(beginning.arrive()).toEqual([]);
    expect(beginning.join(connection()).qemuArguments).toEqual(['own taps']);
    expect(log).toEqual(['template of 1', 'join']);
  });
});
