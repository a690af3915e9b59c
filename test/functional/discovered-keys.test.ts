import { existsSync, readdirSync } from 'node:fs';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { useFetchBench } from '../support/fetch-bench.ts';
import { aciOf } from '../support/image-files.ts';
import { ImageSite, metaPage } from '../support/image-site.ts';
import * as tar from '../support/tar-archive.ts';
import { TerminalCommand } from '../support/terminal.ts';

// Keys that a publisher announces beside the images: who fetches one is asked about them, or has said what to do.

const bench = useFetchBench(['example.com']);
const { rkt, gpg, site } = bench;
const plain = new ImageSite();

const IDENTITY = 'Release <release@example.com>';
const QUESTION = /Are you sure you want to trust this key \(yes\/no\)\? $/;
let key = '';
let keyFile: Buffer;
beforeAll(async () => {
  key = await gpg.makeKey(IDENTITY, 'ed25519');
  keyFile = await gpg.exportKeys([key]);
  await bench.network.serve(plain.answer);
});

/** Everything there is for the image of a name, and no key for it on the host: each test has a name of its own. */
async function publish(name: string, keyUrl = 'https://example.com/key.gpg'): Promise<void> {
  const content = aciOf({ name }, tar.file('rootfs/hello', name));
  site.put(
    '/',
    metaPage(
      ['ac-discovery', 'example.com https://example.com/{name}.{ext}'],
      ['ac-discovery-pubkeys', `example.com ${keyUrl}`],
    ),
  );
  site.put(`/${name}.aci`, content);
  site.put(`/${name}.aci.asc`, await gpg.signDetached(content, { by: [key] }));
  site.put('/key.gpg', keyFile);
}
beforeEach(() => {
  for (const one of [site, plain]) one.clear();
});

const keyPath = (name: string) => `${rkt.localConfig}/trustedkeys/prefix.d/${name}/${key}`;
const added = (name: string) => `Added key for prefix "${name}" at "${keyPath(name)}"`;

/** What somebody types who sees what it says. */
function atTerminal(store: string, ...args: readonly string[]): TerminalCommand {
  return new TerminalCommand(rkt, bench.argv(args, { store }), { env: bench.environment });
}

describe('a fetch at a terminal', () => {
  test('asks about the key, and verifies the image with it on yes', async () => {
    const name = 'example.com/asked';
    await publish(name);
    const terminal = atTerminal('asked', 'fetch', name);
    await terminal.waitFor(QUESTION);
    expect(terminal.shown).toContain(`prefix: "${name}"\nimage: key: "https://example.com/key.gpg"\n`);
    expect(terminal.shown).toContain(`image:     ${IDENTITY}\n`);
    expect(existsSync(keyPath(name))).toBe(false);
    terminal.type('yes\n');
    expect((await terminal.finished).code).toBe(0);
    expect(terminal.shown).toContain(
      `Trusting "https://example.com/key.gpg" for prefix "${name}" after fingerprint review.`,
    );
    expect(terminal.shown).toMatch(
      /signature verified:\n.*Release <release@example\.com>\n[\s\S]*sha512-[0-9a-f]{32}\n$/,
    );
    // From now on it is known, for this name and those below.
    site.log.length = 0;
    await bench.fetch([name], { store: 'again' });
    expect(site.log).not.toContain('GET /key.gpg 200');
  });

  test('trusts nobody on no, and refuses the image', async () => {
    const name = 'example.com/declined';
    await publish(name);
    const terminal = atTerminal('declined', 'fetch', name);
    await terminal.waitFor(QUESTION);
    terminal.type('no\n');
    expect((await terminal.finished).code).toBe(254);
    expect(terminal.shown).toMatch(
      /not trusting "https:\/\/example\.com\/key\.gpg"\n[\s\S]*fetch: unable to fetch image from image name ".*": openpgp: signature made by unknown entity, key [0-9a-f]{16}\n$/,
    );
    expect([bench.storeFiles('declined'), existsSync(keyPath(name))]).toEqual([[], false]);
    // It was asked before anything large was fetched.
    expect(site.log).not.toContain(`GET /${name}.aci 200`);
  });

  test('can be left there', async () => {
    const name = 'example.com/left';
    await publish(name);
    const terminal = atTerminal('left', 'fetch', name);
    await terminal.waitFor(QUESTION);
    terminal.type('\x03');
    expect((await terminal.finished).code).toBe(254);
    expect([bench.storeFiles('left'), existsSync(keyPath(name))]).toEqual([[], false]);
  });
});

describe('a fetch without a terminal', () => {
  test('trusts no key that nobody has looked at, and says what to do', async () => {
    const name = 'example.com/unattended';
    await publish(name);
    expect(await bench.refusal([name], { store: 'unattended' })).toMatch(
      /: unable to ask user to review fingerprint due to lack of tty: call rkt with --trust-keys-from-https, or run at a terminal: rkt trust --prefix "example\.com\/unattended"$/m,
    );
    expect(existsSync(keyPath(name))).toBe(false);
  });

  test('trusts what comes by https where it was told to', async () => {
    const name = 'example.com/told';
    await publish(name);
    const args = ['--trust-keys-from-https', 'fetch', name];
    const { code, stderr } = await bench.run(args, { store: 'told' });
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining(added(name)) });
    expect(stderr).toContain('without fingerprint review.');
    expect(stderr).toContain(`image: signature verified:\nimage:   ${IDENTITY}\n`);
    expect(readdirSync(`${rkt.localConfig}/trustedkeys/prefix.d/${name}`)).toEqual([key]);
  });

  test('does not where nobody vouches for the other end', async () => {
    const name = 'example.com/anybody';
    await publish(name);
    const args = ['--trust-keys-from-https', name];
    expect(await bench.refusal(args, { store: 'anybody', insecure: 'tls' })).toMatch(/lack of tty/);
  });

  test('takes no key by plain http, nor one that plain http announces, unless that is allowed', async () => {
    const name = 'example.com/plain';
    await publish(name, 'http://example.com/key.gpg');
    plain.put('/key.gpg', keyFile);
    const args = ['--trust-keys-from-https', name];
    expect(await bench.refusal(args, { store: 'plain', insecure: 'http' })).toMatch(
      /signature made by unknown entity/,
    );
    // Where images may come by plain http and https has no page, it is asked for them, but not for keys.
    site.put('/', metaPage(['ac-discovery', 'example.com https://example.com/{name}.{ext}']));
    plain.put('/', metaPage(['ac-discovery-pubkeys', 'example.com https://example.com/key.gpg']));
    expect(await bench.refusal(args, { store: 'plain', insecure: 'http' })).toMatch(
      /signature made by unknown entity/,
    );
    expect(plain.log).toEqual(Array(2).fill('GET /plain?ac-discovery=1 404'));

    await publish(name, 'http://example.com/key.gpg');
    await bench.fetch(args, { store: 'plain', insecure: 'pubkey' });
    expect(plain.log.at(-1)).toBe('GET /key.gpg 200');
  });

  test('asks for no key where one is trusted for the name', async () => {
    const name = 'example.com/known/below';
    await publish(name);
    const other = await gpg.makeKey('Somebody else', 'ed25519');
    await bench.trust(other, '--prefix=example.com/known');
    const args = ['--trust-keys-from-https', name];
    expect(await bench.refusal(args, { store: 'known' })).toMatch(/signature made by unknown entity/);
    expect(site.log.filter((line) => line.includes('key.gpg'))).toEqual([]);
  });

  test.each([
    ['is not there', undefined, /: https:\/\/example\.com\/key\.gpg: bad HTTP status code: 404$/m],
    [
      'is no key',
      'hello',
      /: https:\/\/example\.com\/key\.gpg: neither binary OpenPGP nor armor of a PGP PUBLIC KEY BLOCK$/m,
    ],
    [
      'is larger than any',
      Buffer.alloc(2 * 1024 ** 2),
      /: key https:\/\/example\.com\/key\.gpg is longer than 1048576 bytes$/m,
    ],
  ])('says so when the key that is announced %s', async (what, content, message) => {
    await publish('example.com/broken');
    if (content === undefined) site.remove('/key.gpg');
    else site.put('/key.gpg', content);
    const args = ['--trust-keys-from-https', 'example.com/broken'];
    expect(await bench.refusal(args, { store: what.replaceAll(' ', '-') })).toMatch(message);
  });
});

test('rkt trust finds the keys of a prefix at its own page, and asks about them', async () => {
  await publish('example.com/app');
  site.put('/app', metaPage(['ac-discovery-pubkeys', 'example.com/app https://example.com/key.gpg']));
  const terminal = atTerminal('trust', 'trust', '--prefix=example.com/app');
  await terminal.waitFor(QUESTION);
  terminal.type('yes\n');
  expect((await terminal.finished).code).toBe(0);
  expect(terminal.shown).toContain(added('example.com/app'));
  await bench.fetch(['example.com/app'], { store: 'trusted' });
});
