import { describe, expect, it } from 'vitest';
import { BLANK_APP_STATE, parseAppState } from '../../../src/abi/app-state.ts';
import { formatHealth, parseHealth, UNCHECKED } from '../../../src/abi/health.ts';

describe('a health check', () => {
  it('is written and read back', () => {
    const plan = { command: ['/bin/check', '-q'], interval: 500, timeout: 200, retries: 1, startPeriod: 0 };
    expect(parseHealth(formatHealth(plan))).toEqual(plan);
  });

  it('has defaults', () => {
    expect(parseHealth('{"command":["/bin/true"]}')).toEqual({
      command: ['/bin/true'],
      interval: 30_000,
      timeout: 10_000,
      retries: 3,
      startPeriod: 0,
    });
  });

  it.each([
    ['not JSON', /not JSON: not JSON/],
    ['[]', /health: expected an object/],
    ['{}', /health.command/],
    ['{"command":[]}', /health.command: is empty/],
    ['{"command":["a\\u0000"]}', /without NUL/],
    ['{"command":["a"],"interval":1}', /health.interval: .*100/],
    ['{"command":["a"],"retries":0}', /health.retries/],
    ['{"command":["a"],"timeout":"10s"}', /health.timeout/],
  ])('%s is none', (text, problem) => {
    expect(() => parseHealth(text)).toThrow(problem);
  });
});

describe('the state of an app', () => {
  it('is read as it is written', () => {
    const health = { ...UNCHECKED, status: 'unhealthy', failures: 3, checked: 5, output: 'no' } as const;
    const state = {
      ...BLANK_APP_STATE,
      restarts: 2,
      nextRestart: 1795748435984,
      lastExit: 137,
      started: '1795748435984221985',
      pid: 50,
      health,
    };
    for (const one of [BLANK_APP_STATE, state])
      expect(parseAppState(JSON.parse(JSON.stringify(one)))).toEqual(one);
  });

  it.each([
    {},
    { restarts: -1 },
    { restarts: 0, started: '1e9' },
    { restarts: 0, health: { status: 'fine' } },
  ])('%j is none', (state) => {
    expect(() => parseAppState(state)).toThrow(/app state/);
  });
});
