import { describe, expect, it } from 'vitest';
import { parseMountPlan } from '../../../src/abi/mount-plan.ts';
import { formatPrivateUsers, parsePrivateUsers } from '../../../src/abi/private-users.ts';
import { formatRunArguments, parseRunArguments } from '../../../src/abi/stage1.ts';

const IDS = { first: 1879113728, count: 65536 };

describe('users of a pod’s own', () => {
  it('are read as they are recorded, and as a stage1 is told', () => {
    expect(formatPrivateUsers(IDS)).toBe('1879113728:65536\n');
    for (const users of [IDS, 'inherent'] as const)
      expect(parsePrivateUsers(formatPrivateUsers(users))).toEqual(users);
    const run = { ...parseRunArguments(['u']), privateUsers: IDS };
    expect(formatRunArguments(run)).toContain('--private-users=1879113728:65536');
    expect(parseRunArguments(formatRunArguments(run))).toEqual(run);
    expect(parseRunArguments(['u']).privateUsers).toBeNull();
  });

  it.each(['', '0:65536', '1', '1:0', '1:2:3', '-1:5', '4294967290:10', '1:99999999999', 'all'])(
    'are no %j',
    (text) => {
      expect(() => parsePrivateUsers(text)).toThrow(
        `private-users-prepared is FIRST:COUNT, not ${JSON.stringify(text)}`,
      );
    },
  );

  it('are those of a mount, where a plan says so', () => {
    const step = { kind: 'bind', source: 'a', target: 'b', readOnly: false };
    const plan = (ids: unknown) => ({ version: 1, keep: [], mounts: [{ ...step, ids }] });
    expect(parseMountPlan(plan(IDS)).mounts).toEqual([{ ...step, ids: IDS }]);
    expect(parseMountPlan(plan(undefined)).mounts).toEqual([step]);
    expect(() => parseMountPlan(plan({ first: 0, count: 1 }))).toThrow('mounts[0].ids.first');
  });
});
