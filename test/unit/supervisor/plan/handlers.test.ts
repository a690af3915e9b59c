import { expect, it } from 'vitest';
import { NO_HANDLERS, type ProcessPlan } from '../../../../src/abi/boot-plan.ts';
import { blankApp, parseIsolator } from '../../../../src/appc/index.ts';
import { planHandlers } from '../../../../src/supervisor/plan/handlers.ts';

const process: ProcessPlan = {
  argv: ['/app'],
  env: ['PATH=/bin', 'A=b'],
  workingDirectory: '/srv',
  uid: 1000,
  gid: 1000,
  groups: [7],
  umask: 0o027,
  capabilities: [0, 5],
  noNewPrivileges: true,
  seccomp: 'AAAA',
  rlimits: [{ resource: 7, soft: 1, hard: 1 }],
  oomScoreAdj: 500,
};
/** Limits are the app's own. */
const handler = { ...process, uid: 0, gid: 0, groups: [], noNewPrivileges: false };

it('plans none where there is none', () => {
  expect(planHandlers(blankApp, process)).toEqual(NO_HANDLERS);
});

it('lets handlers be root, with what the app may do', () => {
  const eventHandlers = [
    { name: 'post-stop', exec: ['/bin/tidy', '-v'] },
    { name: 'pre-start', exec: ['prepare'] },
  ] as const;
  expect(planHandlers({ eventHandlers, isolators: [] }, process)).toEqual({
    preStart: { ...handler, argv: ['prepare'] },
    postStop: { ...handler, argv: ['/bin/tidy', '-v'] },
  });
});

it('lets none gain privileges where the app says so', () => {
  const isolators = [parseIsolator({ name: 'os/linux/no-new-privileges', value: true })];
  const eventHandlers = [{ name: 'pre-start', exec: ['prepare'] }] as const;
  const { preStart, postStop } = planHandlers({ eventHandlers, isolators }, process);
  expect(preStart?.noNewPrivileges).toBe(true);
  expect(postStop).toBeNull();
});
