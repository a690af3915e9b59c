import { describe, expect, it } from 'vitest';
import { type App, blankApp, type Isolator, parseQuantity } from '../../../src/appc/index.ts';
import { hostLimits, hostMemory, sizeMachine, sizeSandbox } from '../../../stage1-kvm/size.ts';

function app(limits: { cpu?: string; memory?: string }): App {
  const isolators = Object.entries(limits).map(
    ([name, limit]): Isolator => ({
      kind: 'resource',
      name: name === 'cpu' ? 'resource/cpu' : 'resource/memory',
      value: { default: false, limit: parseQuantity(limit) },
    }),
  );
  return { ...blankApp, isolators };
}

describe('sizeMachine', () => {
  it.each([
    ['one app without limits', [app({})], 'kvm', { cpus: 8, memoryMiB: 384 }],
    ['the same in emulation', [app({})], 'tcg', { cpus: 1, memoryMiB: 384 }],
    ['three apps', [app({}), app({}), app({})], 'tcg', { cpus: 1, memoryMiB: 896 }],
    [
      'parts of cores count whole',
      [app({ cpu: '500m' }), app({ cpu: '1500m' })],
      'kvm',
      { cpus: 3, memoryMiB: 640 },
    ],
    ['no more than the host has', [app({ cpu: '64' })], 'kvm', { cpus: 8, memoryMiB: 384 }],
    ['asked for in emulation', [app({ cpu: '2' })], 'tcg', { cpus: 2, memoryMiB: 384 }],
    [
      'memory',
      [app({ memory: '1Gi' }), app({ memory: '100M' })],
      'kvm',
      { cpus: 8, memoryMiB: 1024 + 96 + 128 },
    ],
    ['memory of some', [app({ memory: '64Mi' }), app({})], 'kvm', { cpus: 8, memoryMiB: 64 + 256 + 128 }],
  ] as const)('%s', (_, apps, accelerator, size) => {
    expect(sizeMachine(apps, 8, accelerator)).toEqual(size);
  });
});

it('is no larger than the pod may be', () => {
  const apps = [app({ cpu: '4', memory: '1Gi' })];
  expect(sizeMachine(apps, 8, 'kvm', app({ cpu: '2', memory: '100Mi' }))).toEqual({
    cpus: 2,
    memoryMiB: 228,
  });
  expect(sizeMachine(apps, 8, 'kvm', app({ cpu: '6', memory: '2Gi' }))).toEqual({ cpus: 4, memoryMiB: 1152 });
});

it('lets the pod’s processes have the machine’s processors and one more, where they are limited at all', () => {
  const size = { cpus: 2, memoryMiB: 384 };
  expect(hostLimits({ cpuMillis: 1500, cpuShares: 512, memoryBytes: 1 }, size)).toEqual({
    cpuMillis: 3000,
    cpuShares: 512,
  });
  expect(hostLimits({}, size)).toEqual({});
});

describe('hostMemory', () => {
  it.each([
    ['kvm', 768],
    ['tcg', 832],
  ] as const)('with %s is the guest and what its programs need', (accelerator, mebibytes) => {
    expect(hostMemory({ cpus: 1, memoryMiB: 384 }, accelerator)).toBe(mebibytes * 1024 * 1024);
  });
});

describe('sizeSandbox', () => {
  it.each([
    ['without limits', {}, 'tcg', { cpus: 1, memoryMiB: 640 }],
    ['with both', { cpu: '2', memory: '1Gi' }, 'kvm', { cpus: 2, memoryMiB: 1152 }],
    ['with less than an app has by default', { memory: '64Mi' }, 'kvm', { cpus: 8, memoryMiB: 192 }],
  ] as const)('%s', (_, limits, accelerator, size) => {
    expect(sizeSandbox(app(limits), 8, accelerator)).toEqual(size);
  });
});
