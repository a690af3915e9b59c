import { describe, expect, it } from 'vitest';
import { decodeBase64 } from '../../../src/abi/base64.ts';
import { PROTOCOL_VERSION, parseHostMessage } from '../../../src/abi/guest.ts';
import { NO_NETWORK } from '../../../src/abi/network-plan.ts';
import type { SavedDevices } from '../../../src/abi/templates.ts';
import { rehearsalPlan } from '../../../stage1-kvm/rehearsal-plan.ts';
import { nativeScratch } from '../../support/native-scratch.ts';

nativeScratch();

const kernel = '6.12.1-rkt';
const modules = ['virtio_net', 'erofs'];
const devices = (interfaces: number, layers: number): SavedDevices => ({
  interfaces,
  disks: [...Array<'read'>(layers).fill('read'), 'scratch'],
  scratchBytes: 4096,
});
const planOf = (interfaces: number, layers: number) =>
  rehearsalPlan(kernel, devices(interfaces, layers), modules);

describe('what a spare machine goes through first', () => {
  it.each([1, 3])('has each disk of its kind, and a root of %i of them', (layers) => {
    const { apps, machine } = planOf(1, layers);
    const images = Array.from({ length: layers }, (_, index) => `image-${index}`);
    expect(machine?.disks).toEqual([
      ...images.map((serial) => ({ serial, kind: 'image', seal: null })),
      { serial: 'scratch', kind: 'scratch' },
    ]);
    expect(apps.map(({ root }) => root)).toEqual([
      { kind: 'block', app: 'rehearsal', layers: images, scratch: 'scratch' },
    ]);
  });

  it('is one app, which ends by itself, of a machine without a share', () => {
    const { apps, machine, staysWhenEmpty, volumes } = planOf(0, 1);
    expect(apps.map(({ name, process }) => [name, process.argv])).toEqual([['rehearsal', ['/rehearsal']]]);
    expect(machine).toMatchObject({ modules, shares: [] });
    expect(staysWhenEmpty).toBe(false);
    expect(volumes).toEqual([]);
  });

  it('has the network of no interface', () => {
    expect(planOf(0, 1).network).toEqual(NO_NETWORK);
  });

  it.each([1, 2])('has a network of %i interfaces, with addresses that nobody has', (count) => {
    const { interfaces, routes, sysctls } = planOf(count, 1).network;
    const names = Array.from({ length: count }, (_, index) => `eth${index}`);
    expect(interfaces.map(({ name }) => name)).toEqual(names);
    const macs = interfaces.map(({ mac }) => mac);
    expect(new Set(macs).size).toBe(count);
    // Not those by which interfaces are found that are a spare's.
    for (const mac of macs) expect(mac).toMatch(/^02:00:00:00:00:0\d$/);
    const addresses = interfaces.flatMap((each) => each.addresses.map(({ address }) => address));
    expect(addresses).toEqual(names.map((_, index) => `192.0.2.${2 + 4 * index}/30`));
    for (const { hops } of routes) expect(hops.map((hop) => hop.interface)).toEqual(['eth0']);
    // Set to what they are: they stay.
    expect(sysctls.map(({ value }) => value)).toEqual(names.flatMap(() => ['0', '0']));
    expect(sysctls.every(({ name }) => names.includes(name.split('/')[2] ?? ''))).toBe(true);
  });

  it.each([
    [0, 1],
    [1, 1],
    [2, 3],
  ])('is a plan that PID 1 takes: %i interfaces, %i layers', (interfaces, layers) => {
    const plan = planOf(interfaces, layers);
    const boot = { type: 'boot', version: PROTOCOL_VERSION, plan };
    expect(parseHostMessage(JSON.parse(JSON.stringify(boot)))).toEqual(boot);
  });

  it('draws entropy for each machine', () => {
    const [one, other] = [planOf(0, 1), planOf(0, 1)].map(({ machine }) => machine?.entropy ?? '');
    expect(decodeBase64(one ?? '')).toHaveLength(64);
    expect(one).not.toBe(other);
  });
});
