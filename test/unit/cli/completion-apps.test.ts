import { expect, it } from 'vitest';
import { podUUIDFromOctets } from '../../../src/appc/index.ts';
import { appCandidates } from '../../../src/cli/completion-apps.ts';
import type { PodRecord } from '../../../src/stage0/list.ts';

const pod = (octet: number, podName: string, ...names: readonly string[]): PodRecord => ({
  ...{ uuid: podUUIDFromOctets(new Uint8Array(16).fill(octet)), podName, state: 'running' },
  ...{ isReady: true, isPaused: false },
  apps: names.map((name) => ({ name, state: 'running', imageId: '', userAnnotations: {} })),
});
const PODS = [pod(0xab, 'shop', 'web', 'db'), pod(0xcd, 'mail', 'web', 'queue')];

it.each([
  [[], ['web', 'db', 'queue']],
  [['abab'], ['web', 'db']],
  [['CDCD'], ['web', 'queue']],
  [['shop'], ['web', 'db']],
  [
    ['mail:/var/spool', 'here'],
    ['web', 'queue'],
  ],
  [['sho'], []],
  [[''], []],
])('the apps of the pod of %j', (operands, expected) => {
  expect(appCandidates(PODS, operands).map(({ word }) => word)).toEqual(expected);
});

it('says what state an app is in, as long as one pod has it', () => {
  expect(appCandidates(PODS, ['mail'])).toContainEqual({ word: 'web', about: 'running app' });
  expect(appCandidates(PODS, [])).toContainEqual({ word: 'web', about: 'app' });
});
