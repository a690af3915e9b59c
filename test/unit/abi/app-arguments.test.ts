import { expect, test } from 'vitest';
import { parseControlRequest } from '../../../src/abi/control.ts';
import { type AppArguments, formatAppArguments, parseAppArguments } from '../../../src/abi/stage1.ts';

const relaxations = { disableCapabilitiesRestriction: true, disablePaths: false, disableSeccomp: true };
const cases: readonly AppArguments[] = [
  { app: 'web', debug: false },
  { app: 'web', debug: true, added: { uuid: 'u', ...relaxations } },
];

test.each(cases)('an app’s entrypoint reads what stage0 has written: %j', (args) => {
  expect(parseAppArguments(formatAppArguments(args))).toEqual(args);
});

test('they are written as rkt wrote them', () => {
  expect(cases.map(formatAppArguments)).toEqual([
    ['--app=web'],
    ['--app=web', '--debug', '--uuid=u', '--disable-capabilities-restriction', '--disable-seccomp'],
  ]);
});

test.each([
  [['--debug'], '--app is missing'],
  [['--app='], '--app is missing'],
  [['--app=web', 'more'], 'unexpected arguments ["more"]'],
  [['--app=web', '--force'], 'unknown argument --force'],
])('%j is refused', (args, message) => {
  expect(() => parseAppArguments(args)).toThrow(message);
});

test('a request for an app is read field by field', () => {
  const request = { type: 'app', action: 'add', app: 'web', relaxations };
  expect(parseControlRequest({ ...request, more: 1 })).toEqual(request);
  expect(parseControlRequest({ ...request, action: 'rm', relaxations: null })).toMatchObject({
    relaxations: null,
  });
  for (const wrong of [{ action: 'eat' }, { app: 7 }, { app: 'x'.repeat(600) }, { relaxations: {} }])
    expect(() => parseControlRequest({ ...request, ...wrong })).toThrow('control request');
});
