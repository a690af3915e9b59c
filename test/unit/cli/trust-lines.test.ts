import { expect, test } from 'vitest';
import { parseACIdentifier } from '../../../src/appc/index.ts';
import { trustLines } from '../../../src/cli/trust-lines.ts';
import type { KeyReview } from '../../../src/trust/index.ts';
import { readPublicKeys } from '../../../src/trust/key.ts';
import { useSigners } from '../trust/signers.ts';

const { gpg, key } = useSigners('ed25519');
const SCOPE = { kind: 'prefix', prefix: parseACIdentifier('example.com/app') } as const;
const ROOT = { kind: 'root' } as const;

async function review(fingerprint: string, change: Partial<KeyReview> = {}): Promise<KeyReview> {
  const keys = await readPublicKeys(await gpg.exportKeys([fingerprint]), 'key');
  return { scope: SCOPE, location: 'https://example.com/key', keys, ...change };
}

test('a key is shown by what it is for, where it is from, its fingerprints and its owner', async () => {
  const subkey = await gpg.addSubkey(key('ed25519'), 'ed25519');
  const lines = trustLines({ kind: 'key-found', ...(await review(key('ed25519'))) });
  const form = /^([0-9A-F]{4} ){5} ([0-9A-F]{4} ){4}[0-9A-F]{4}$/;
  const [first, second] = [lines[2]?.replace(/^.*: /, ''), lines[3]?.replace(/^.*: /, '')];
  expect(lines).toEqual([
    'prefix: "example.com/app"',
    'key: "https://example.com/key"',
    `gpg key fingerprint is: ${first}`,
    `    Subkey fingerprint: ${second}`,
    '    Signer <ed25519@example.com>',
  ]);
  expect([first, second]).toEqual([expect.stringMatching(form), expect.stringMatching(form)]);
  const hex = (text = '') => text.replaceAll(' ', '').toLowerCase();
  expect([hex(first), hex(second)]).toEqual([key('ed25519'), subkey]);
});

test('an owner’s name moves no cursor and makes up no line', async () => {
  const name = 'Trusty\u001b[2A\u202edetsurT';
  const lines = trustLines({ kind: 'key-found', ...(await review(await gpg.makeKey(name, 'ed25519'))) });
  expect(lines.at(-1)).toBe('    Trusty\\u001b[2A\\u202edetsurT');
});

test('what became of it is said in rkt’s words', async () => {
  const found = await review(key('ed25519'));
  const [one] = found.keys;
  if (one === undefined) throw new Error('no key');
  const all = { ...found, scope: ROOT };
  const added = { kind: 'key-added', path: '/etc/rkt/key', key: one } as const;
  expect(
    [
      trustLines({ kind: 'key-declined', ...found }),
      trustLines({ kind: 'key-accepted', reviewed: true, ...found }),
      trustLines({ kind: 'key-accepted', reviewed: false, ...all }),
      trustLines({ ...added, scope: SCOPE }),
      trustLines({ ...added, scope: ROOT }),
    ].flat(),
  ).toEqual([
    'not trusting "https://example.com/key"',
    'Trusting "https://example.com/key" for prefix "example.com/app" after fingerprint review.',
    'Trusting "https://example.com/key" for prefix "" without fingerprint review.',
    'Added key for prefix "example.com/app" at "/etc/rkt/key"',
    'Added root key at "/etc/rkt/key"',
  ]);
});
