import { expect, it } from 'vitest';
import { reportOf } from '../support/native-program.ts';

it('a compiled program keeps processes in a cgroup below its own', async () => {
  expect(await reportOf('cgroups', `rkt-native-test-${process.pid}`)).toEqual({
    mode: expect.stringMatching(/^(v1|hybrid|v2)$/),
    controllers: expect.toSatisfy((found: string[]) => found.length > 0),
    limited: true,
    members: true,
    busy: false,
    code: 137,
    removed: true,
    left: 0,
    again: true,
    ended: true,
  });
});
