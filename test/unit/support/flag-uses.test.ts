import { expect, test } from 'vitest';
import { usesFlag } from '../../architecture/flag-uses.ts';

test.each([
  ['in its list', "rkt.run(['stop', '--force', uuid])", ['stop'], 'force'],
  ['with a value', "rkt.run(['list', '--format=json'])", ['list'], 'format'],
  ['in a group', "rkt.run(['image', 'rm', '--force', id])", ['image', 'rm'], 'force'],
  [
    'in a list that is spread',
    "const more = flags('--force'); rkt.run(['stop', ...more])",
    ['stop'],
    'force',
  ],
  [
    'in the call that adds the command',
    "start(rkt, ['app', 'sandbox'], args('--rm'))",
    ['app', 'sandbox'],
    'rm',
  ],
])('a flag is given %s', (_, text, words, flag) => {
  expect(usesFlag(text, words, flag)).toBe(true);
});

test.each([
  ['another command has it', "rkt.run(['stop', '--force', uuid]); rkt.run(['rm', uuid])", ['rm'], 'force'],
  ['its name only begins like that', "rkt.run(['stop', '--forceful', uuid])", ['stop'], 'force'],
  ['the command is one of a group', "rkt.run(['image', 'rm', '--force', id])", ['image', 'gc'], 'force'],
])('a flag is not given when %s', (_, text, words, flag) => {
  expect(usesFlag(text, words, flag)).toBe(false);
});
