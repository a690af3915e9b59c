import { describe, expect, it } from 'vitest';
import { lifeJson, lifeLines } from '../../../src/cli/app-life.ts';
import { messageOf } from '../../../src/cli/exit-code.ts';
import { lifeRequest } from '../../../src/cli/life-flags.ts';
import type { AppRecord } from '../../../src/stage0/list.ts';

const request = (flags: Readonly<Record<string, string>>) =>
  lifeRequest(new Map(Object.entries(flags).map(([name, text]) => [name, [text]])));

describe('the flags of an app’s life', () => {
  it('say nothing where they are not given', () => {
    expect(request({ name: 'web' })).toEqual({});
  });

  it('are read', () => {
    expect(request({ restart: 'on-failure:3' })).toEqual({ restart: { policy: 'on-failure', most: 3 } });
    const all = {
      'health-cmd': 'true',
      'health-interval': '1m30s',
      'health-timeout': '100ms',
      'health-retries': '7',
      'health-start-period': '0',
    };
    expect(request(all)).toEqual({
      health: { line: 'true', interval: 90_000, timeout: 100, retries: 7, startPeriod: 0 },
    });
  });

  it.each([
    ['restart', 'sometimes', '--restart: "sometimes" is no restart policy'],
    ['health-interval', '99ms', '--health-interval: 99ms is not from 100ms to 24h0m0s'],
    ['health-timeout', '1', '--health-timeout: invalid duration "1"'],
    ['health-retries', '1.5', '--health-retries: "1.5" is not a number from 1 to 1000000'],
    ['health-start-period', '25h', '--health-start-period: 25h is not from 0s to 24h0m0s'],
  ])('--%s=%s is refused', (name, text, problem) => {
    let said = '';
    try {
      request({ [name]: text });
    } catch (error) {
      said = messageOf(error);
    }
    expect(said).toContain(problem);
  });
});

describe('what status says of it', () => {
  const app: AppRecord = { name: 'web', state: 'running', imageId: 'sha512-ab' };
  const health = {
    status: 'unhealthy',
    failures: 3,
    checked: 1_795_748_435_984,
    exitCode: null,
    output: 'no\n',
  } as const;

  it('is nothing of an app without', () => {
    expect(lifeLines(app)).toEqual([]);
    expect(JSON.stringify(lifeJson(app))).toBe('{}');
  });

  it('is a line for each, and fields', () => {
    const lively = {
      ...app,
      restart: 'always',
      restarts: 2,
      nextRestart: 1_795_748_435_984_000_000n,
      health,
    };
    expect(lifeLines(lively)).toEqual([
      'app-web-restarts=2',
      'app-web-next-restart=2026-11-27 03:00:35.984 +0000 UTC',
      'app-web-health=unhealthy',
    ]);
    expect(lifeJson(lively)).toMatchObject({
      restart: 'always',
      restarts: 2,
      next_restart_at: 1_795_748_435_984_000_000n,
      health: { status: 'unhealthy', failures: 3, checked_at: 1_795_748_435_984_000_000n, output: 'no\n' },
    });
  });
});
