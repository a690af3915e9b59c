import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  type KeyPolicy,
  type KeyReview,
  type KeySources,
  type TrustEvent,
  trustDiscovered,
  trustKeys,
} from '../../../src/trust/index.ts';
import { NAME, useSigners } from './signers.ts';

const { gpg, key, trusting, at } = useSigners('ed25519', 'nistp256');
const files = new Map<string, Buffer>();
beforeAll(async () => {
  for (const name of ['ed25519', 'nistp256']) files.set(name, await gpg.exportKeys([key(name)]));
  files.set('both', await gpg.exportKeys([key('ed25519'), key('nistp256')]));
});

const STRICT: KeyPolicy = {
  skipReview: false,
  trustHttps: false,
  certificatesChecked: true,
  allowHttp: false,
};
const SCOPE = { kind: 'prefix', prefix: NAME } as const;

interface Setting {
  readonly policy?: Partial<KeyPolicy>;
  readonly answer?: boolean;
}

/** Somewhere with keys, and somebody who is asked; what happened is in `seen`. */
function sources({ policy = {}, answer }: Setting = {}) {
  const seen: { readonly loaded: string[]; readonly asked: KeyReview[]; readonly events: TrustEvent[] } = {
    loaded: [],
    asked: [],
    events: [],
  };
  const given: KeySources = {
    policy: { ...STRICT, ...policy },
    loadKey: async (url) => {
      seen.loaded.push(url);
      return files.get(url.slice(url.lastIndexOf('/') + 1)) ?? Buffer.alloc(0);
    },
    review:
      answer === undefined
        ? undefined
        : async (review) => {
            seen.asked.push(review);
            return answer;
          },
    report: (event) => seen.events.push(event),
  };
  return { given, seen };
}

const kinds = (events: readonly TrustEvent[]) => events.map(({ kind }) => kind);
const storedKeys = () =>
  existsSync(at('etc/trustedkeys/prefix.d/example.com/app'))
    ? readdirSync(at('etc/trustedkeys/prefix.d/example.com/app')).sort()
    : [];

describe('keys that are named', () => {
  test('are shown, asked about and stored', async () => {
    const { given, seen } = sources({ answer: true });
    const url = 'https://example.com/ed25519';
    const stored = await trustKeys(await trusting([]), SCOPE, [url], given);
    expect(stored.map(({ path }) => path)).toEqual([
      at('etc/trustedkeys/prefix.d/example.com/app', key('ed25519')),
    ]);
    expect(seen.asked).toMatchObject([
      {
        scope: SCOPE,
        location: url,
        keys: [{ fingerprint: key('ed25519'), identities: [expect.any(String)] }],
      },
    ]);
    expect(kinds(seen.events)).toEqual(['key-found', 'key-accepted', 'key-added']);
    expect(seen.events[1]).toMatchObject({ reviewed: true });
  });

  test('stay out when they are declined, which does not keep out the next', async () => {
    const { given, seen } = sources();
    const review = async ({ location }: KeyReview) => location.endsWith('nistp256');
    const urls = ['https://example.com/ed25519', 'https://example.com/nistp256'];
    await trustKeys(await trusting([]), SCOPE, urls, { ...given, review });
    expect(storedKeys()).toEqual([key('nistp256')]);
    expect(kinds(seen.events)).toEqual([
      'key-found',
      'key-declined',
      'key-found',
      'key-accepted',
      'key-added',
    ]);
  });

  test('are stored each under its name where a file has several', async () => {
    const { given, seen } = sources({ answer: true });
    await trustKeys(await trusting([]), SCOPE, ['https://example.com/both'], given);
    expect(storedKeys()).toEqual([key('ed25519'), key('nistp256')].sort());
    expect(seen.asked).toMatchObject([{ keys: [{}, {}] }]);
  });

  test('may be a file', async () => {
    writeFileSync(at('key.asc'), files.get('ed25519') ?? '');
    const { given, seen } = sources({ policy: { skipReview: true } });
    await trustKeys(await trusting([]), SCOPE, [at('key.asc')], given);
    expect([storedKeys(), seen.loaded]).toEqual([[key('ed25519')], []]);
    expect(seen.events[1]).toMatchObject({ kind: 'key-accepted', reviewed: false });
  });

  test('must not be a file that never ends, nor one that nobody writes, nor a large one', async () => {
    const { given } = sources({ policy: { skipReview: true } });
    execFileSync('mkfifo', [at('fifo')]);
    writeFileSync(at('large'), Buffer.alloc(1024 * 1024 + 1));
    const keystore = await trusting([]);
    for (const [path, code] of [
      ['/dev/zero', 'bad-key'],
      [at('fifo'), 'bad-key'],
      [at('large'), 'too-large'],
    ] as const)
      await expect(trustKeys(keystore, SCOPE, [path], given)).rejects.toMatchObject({
        code,
        message: expect.stringContaining(path),
      });
  });
});

describe('nobody is asked', () => {
  const cases: readonly (readonly [location: string, policy: Partial<KeyPolicy>, isAsked: boolean])[] = [
    ['https://example.com/ed25519', { skipReview: true }, false],
    ['https://example.com/ed25519', { trustHttps: true }, false],
    ['https://example.com/ed25519', { trustHttps: true, certificatesChecked: false }, true],
    ['http://example.com/ed25519', { trustHttps: true, allowHttp: true }, false],
    ['http://example.com/ed25519', { allowHttp: true }, true],
    ['HTTPS://example.com/ed25519', { trustHttps: true }, false],
    ['file', { trustHttps: true, allowHttp: true }, true],
  ];
  test.each(cases)('about %s with %o: not so is %s', async (location, policy, isAsked) => {
    writeFileSync(at('file'), files.get('ed25519') ?? '');
    const { given, seen } = sources({ policy, answer: true });
    await trustKeys(await trusting([]), SCOPE, [location === 'file' ? at('file') : location], given);
    expect([seen.asked.length > 0, storedKeys()]).toEqual([isAsked, [key('ed25519')]]);
  });

  test('where there is no terminal: that is an error which says what to do', async () => {
    const { given } = sources();
    const refused = trustKeys(await trusting([]), SCOPE, ['https://example.com/ed25519'], given);
    await expect(refused).rejects.toMatchObject({
      code: 'no-terminal',
      message:
        'unable to ask user to review fingerprint due to lack of tty: call rkt with --trust-keys-from-https, or run at a terminal: rkt trust --prefix "example.com/app"',
    });
    expect(storedKeys()).toEqual([]);
  });
});

describe('refused is', () => {
  test.each([
    ['plain http', 'http://example.com/ed25519', 'insecure', /would come over plain http/],
    ['another scheme', 'ftp://example.com/ed25519', 'insecure', /only files and http or https URLs/],
    ['what is no key', 'https://example.com/none', 'bad-key', /https:\/\/example\.com\/none: neither binary/],
  ])('%s', async (_, location, code, message) => {
    const { given, seen } = sources({ policy: { skipReview: true, trustHttps: true } });
    const refused = trustKeys(await trusting([]), SCOPE, [location], given);
    await expect(refused).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    expect([storedKeys(), seen.events]).toEqual([[], []]);
  });
});

describe('keys that a publisher announces', () => {
  const announce =
    (...urls: readonly string[]) =>
    async () =>
      urls;

  test('are trusted for the name of the image', async () => {
    const { given } = sources({ policy: { trustHttps: true } });
    const discover = announce('https://example.com/ed25519', 'https://example.com/nistp256');
    await trustDiscovered(await trusting([]), NAME, discover, given);
    expect(storedKeys()).toEqual([key('ed25519'), key('nistp256')].sort());
  });

  test('are not asked for where a key is trusted already', async () => {
    const { given, seen } = sources({ answer: true });
    const never = () => Promise.reject(new Error('asked'));
    expect(await trustDiscovered(await trusting(['ed25519']), NAME, never, given)).toEqual([]);
    expect(seen.events).toEqual([]);
  });

  test('are never a file of this host', async () => {
    writeFileSync(at('planted'), files.get('ed25519') ?? '');
    const { given } = sources({ answer: true, policy: { skipReview: true } });
    const refused = trustDiscovered(await trusting([]), NAME, announce(at('planted')), given);
    await expect(refused).rejects.toMatchObject({
      code: 'insecure',
      message: expect.stringContaining('not a URL'),
    });
    expect(storedKeys()).toEqual([]);
  });
});
