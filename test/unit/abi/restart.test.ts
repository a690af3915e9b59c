import { describe, expect, it } from 'vitest';
import { formatRestart, parseRestart, RESTART_ANNOTATION, restartOf } from '../../../src/abi/restart.ts';
import { parseACIdentifier } from '../../../src/appc/index.ts';

describe('a restart policy', () => {
  it.each([
    ['no', { policy: 'no', most: null }],
    ['on-failure', { policy: 'on-failure', most: null }],
    ['on-failure:12', { policy: 'on-failure', most: 12 }],
    ['always', { policy: 'always', most: null }],
  ] as const)('%s is read and written', (text, plan) => {
    expect(parseRestart(text)).toEqual(plan);
    expect(formatRestart(plan)).toBe(text);
  });

  it.each([
    '',
    'never',
    'no:1',
    'always:2',
    'on-failure:',
    'on-failure:0',
    'on-failure:-1',
    'on-failure:1e3',
    'no\n',
  ])('%j is none', (text) => {
    expect(() => parseRestart(text)).toThrow(`${JSON.stringify(text)} is no restart policy`);
  });

  it('of an app that says nothing is no', () => {
    expect(restartOf({ annotations: [] })).toEqual({ policy: 'no', most: null });
    const annotations = [{ name: parseACIdentifier(RESTART_ANNOTATION), value: 'always' }];
    expect(restartOf({ annotations })).toEqual({ policy: 'always', most: null });
  });
});
