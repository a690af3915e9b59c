import { expect, test } from 'vitest';
import { parseChallenges } from '../../../../src/image/registry/challenge.ts';
import { processorTime } from '../../../support/processor-time.ts';

const bearer = (realm: string, service?: string, scope?: string) => ({
  kind: 'bearer',
  realm,
  service,
  scope,
});
const basic = { kind: 'basic' };

test.each([
  [
    'Bearer realm="https://auth.example/token",service="registry.example",scope="repository:a/b:pull"',
    [bearer('https://auth.example/token', 'registry.example', 'repository:a/b:pull')],
  ],
  ['bearer  Realm = "r" , SERVICE=s', [bearer('r', 's')]],
  [
    'Bearer scope="repository:a:pull,push repository:b:pull",realm="r"',
    [bearer('r', undefined, 'repository:a:pull,push repository:b:pull')],
  ],
  ['Bearer realm="a \\"quoted\\" \\\\ r"', [bearer('a "quoted" \\ r')]],
  ['Basic realm="x"', [basic]],
  ['Basic', [basic]],
  ['BASIC realm="x", charset="UTF-8"', [basic]],
  ['Basic realm="x", Bearer realm="r",service="s"', [basic, bearer('r', 's')]],
  ['Bearer realm="r", Basic realm="x"', [bearer('r'), basic]],
  ['Negotiate abc==, Basic realm="x"', [basic]],
  ['Digest realm="d", nonce="n", Basic realm="x"', [basic]],
  ['Bearer service="s"', []],
  ['Bearer realm="unclosed', []],
  ['realm="x"', []],
  ['', []],
  [', ,', []],
])('%s', (header, expected) => {
  expect(parseChallenges(header)).toEqual(expected);
});

test('a header that goes on and on costs no more than its length is worth', () => {
  const spent = processorTime(() => {
    parseChallenges('a="\\",'.repeat(100_000));
    parseChallenges(`Bearer ${','.repeat(100_000)}`);
    parseChallenges(`Bearer a="${'\\'.repeat(100_000)}`);
  });
  expect(spent).toBeLessThan(2000);
});
