import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { ControlAnswer } from '../../../src/abi/control.ts';
import { parseControlArguments } from '../../../src/abi/stage1.ts';
import { askSupervisor } from '../../../src/stage0/control.ts';
import { temporaryPods } from '../pod/pods.ts';
import { runningPod } from './scripted-stage1.ts';

const pods = temporaryPods();
const stop = { type: 'stop', force: true } as const;

test('one request goes out, and every answer comes in as it is given', async () => {
  using pod = runningPod(
    pods(),
    'control',
    `printf '%s\\n' "$@" > asked; echo '{"type":"started","pid":7}'; echo '{"type":"exited","code":3}'`,
  );
  const told: ControlAnswer[] = [];
  const answers = [
    { type: 'started', pid: 7 },
    { type: 'exited', code: 3 },
  ];
  expect(await askSupervisor(pod, stop, { onAnswer: (answer) => told.push(answer) })).toEqual(answers);
  expect(told).toEqual(answers);
  const asked = parseControlArguments(readFileSync(join(pod.path, 'asked'), 'utf8').trim().split('\n'));
  expect(asked).toEqual({ uuid: pod.uuid, request: JSON.stringify(stop) });
});

test.each([
  [
    `echo '{"type":"refused","message":"not today"}'; echo 'control: not today' >&2; exit 254`,
    'refused',
    'not today',
  ],
  ['echo broken >&2; exit 254', 'bad-stage1', "control of the pod's stage1 failed: broken"],
  ['echo nonsense', 'bad-stage1', "control of the pod's stage1 answers rubbish"],
  [`echo '{"type":"party"}'`, 'bad-stage1', "control of the pod's stage1 answers rubbish"],
  [undefined, 'unsupported', "the pod's stage1 has no control entrypoint"],
])('%s', async (script, code, message) => {
  using pod = runningPod(pods(), 'control', script);
  await expect(askSupervisor(pod, stop)).rejects.toMatchObject({
    code,
    message: expect.stringContaining(message),
  });
});

test('a supervisor that does not answer is not waited for', async () => {
  using pod = runningPod(pods(), 'control', 'exec sleep 100');
  await expect(askSupervisor(pod, stop, { timeout: 50 })).rejects.toMatchObject({ code: 'timed-out' });
});

test('asking ends when it is told to', async () => {
  using pod = runningPod(pods(), 'control', 'touch asked; exec sleep 100');
  const ending = new AbortController();
  const asked = askSupervisor(pod, stop, { signal: ending.signal });
  await expect.poll(() => existsSync(join(pod.path, 'asked'))).toBe(true);
  ending.abort(new Error('enough'));
  await expect(asked).rejects.toThrow('enough');
});
