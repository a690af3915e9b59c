import { describe, expect, it } from 'vitest';
import { type HostVolumePlan, VOLUME_IDS } from '../../../../src/abi/volume-plan.ts';
import { idsOf, ownershipWarning } from '../../../../src/supervisor/volumes/ids.ts';

const volume = (more: Partial<HostVolumePlan> = {}): HostVolumePlan => ({
  ...{ kind: 'host', key: 'v', source: '/s', readOnly: false, recursive: null, idMap: 'auto' },
  ...more,
});
const directory = { kind: 'directory', uid: 0 } as const;
const users = { first: 1_000_000, count: 65536 };

describe('ids on the disk of a host volume', () => {
  it('are those of volumes where it is written to', () => {
    const { first: disk, count } = VOLUME_IDS;
    expect(idsOf(volume(), directory, null)).toEqual({ of: 'volume', disk, pod: 0, count });
    expect(idsOf(volume(), { kind: 'file' }, users)).toEqual({ of: 'volume', disk, pod: 1_000_000, count });
  });

  it('are the pod’s own where nothing is left, or that is asked for', () => {
    const asTheyAre = [volume({ readOnly: true }), volume({ idMap: 'none' })];
    expect(asTheyAre.map((one) => idsOf(one, directory, null))).toEqual([undefined, undefined]);
    const shown = { of: 'pod', disk: 0, pod: 1_000_000, count: 65536 };
    expect(asTheyAre.map((one) => idsOf(one, directory, users))).toEqual([shown, shown]);
  });

  it('are never those of a node that is no file', () => {
    for (const kind of ['char', 'block', 'socket', 'fifo'] as const)
      expect([idsOf(volume(), { kind }, null), idsOf(volume(), { kind }, users)]).toEqual([
        undefined,
        undefined,
      ]);
  });
});

describe('what is said of owners', () => {
  it.each([
    [volume(), directory, /^\/s belongs to user 0 of the host/],
    [volume(), { kind: 'file', uid: 1000 }, /^\/s belongs to user 1000 of the host/],
    [volume({ idMap: 'none' }), directory, /^idmap=none: /],
  ] as const)('%j of %j', (of, stat, warning) => {
    expect(ownershipWarning(of, stat)).toMatch(warning);
  });

  it('is nothing where all is as it should be', () => {
    expect(ownershipWarning(volume(), { kind: 'directory', uid: VOLUME_IDS.first })).toBeUndefined();
    expect(ownershipWarning(volume(), { kind: 'directory', uid: VOLUME_IDS.first + 65535 })).toBeUndefined();
    expect(ownershipWarning(volume(), { kind: 'directory', uid: VOLUME_IDS.first + 65536 })).toBeDefined();
    expect(ownershipWarning(volume({ readOnly: true, idMap: 'none' }), directory)).toBeUndefined();
    expect(ownershipWarning(volume({ idMap: 'none' }), { kind: 'char', uid: 0 })).toBeUndefined();
  });
});
