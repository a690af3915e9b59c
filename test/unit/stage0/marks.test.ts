import { expect, test } from 'vitest';
import { messageOf } from '../../../src/cli/exit-code.ts';
import { parseMarks } from '../../../src/stage0/marks.ts';

const none = { annotations: [], userAnnotations: [], userLabels: [] };

function problemOf(texts: Partial<Parameters<typeof parseMarks>[0]>): string {
  try {
    parseMarks({ ...none, ...texts });
    return 'none';
  } catch (error) {
    return messageOf(error);
  }
}

test('takes what users call theirs as it is, the last of two with one key', () => {
  const marks = parseMarks({
    annotations: ['example.com/a=1', 'created=2026-01-02T03:04:05Z', 'example.com/a=2=3'],
    userAnnotations: ['Any key/at all=x', 'empty='],
    userLabels: ['tier=a', '__proto__=p', 'tier=b'],
  });
  expect(marks.annotations).toEqual([
    { name: 'example.com/a', value: '2=3' },
    { name: 'created', value: '2026-01-02T03:04:05Z' },
  ]);
  expect(marks.userAnnotations).toEqual({ 'Any key/at all': 'x', empty: '' });
  expect(Object.entries(marks.userLabels)).toEqual([
    ['tier', 'b'],
    ['__proto__', 'p'],
  ]);
});

test('refuses what appc refuses, and what is no pair', () => {
  expect(problemOf({ annotations: ['Bad_Name=1'] })).toMatch(/^--annotation: \[0\]\.name: .*"Bad_Name"/);
  expect(problemOf({ annotations: ['created=today'] })).toContain('a date of RFC 3339');
  expect(problemOf({ userLabels: ['tier'] })).toBe('--user-label: "tier" is not KEY=VALUE');
  expect(problemOf({ userAnnotations: ['=x'] })).toBe('--user-annotation: "=x" is not KEY=VALUE');
});
