import { appendFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { GpgHome } from '../support/gpg.ts';
import { ACI_MANIFEST, aci } from '../support/image-files.ts';
import { keysPage, Publisher } from '../support/publisher.ts';
import { useRkt } from '../support/rkt.ts';
import * as tar from '../support/tar-archive.ts';
import { TerminalCommand } from '../support/terminal.ts';

const ANNOUNCED = 'example.com/announced';

const rkt = useRkt();
const gpg = new GpgHome();
afterAll(() => gpg[Symbol.dispose]());

let [key, subkey] = ['', ''];
let publisher: Publisher;
beforeAll(async () => {
  key = await gpg.makeKey('Release <release@example.com>', 'rsa2048');
  subkey = await gpg.addSubkey(key, 'ed25519');
  const file = await gpg.exportKeys([key]);
  writeFileSync(rkt.path('key.asc'), file);
  const https = new Map<string, string | Uint8Array>([
    ['/team/app', keysPage('example.com/team', 'https://example.com/key.asc')],
    ['/plain/app', keysPage('example.com/plain', 'http://example.com/key.asc')],
    ['/local/app', keysPage('example.com/local', rkt.path('key.asc'))],
    ['/announced', keysPage(ANNOUNCED, 'https://example.com/key.asc')],
    ['/key.asc', file],
  ]);
  publisher = await Publisher.start(['example.com'], https, new Map([['/key.asc', file]]));
});
afterAll(() => publisher.close());

const grouped = (hex: string) =>
  hex
    .toUpperCase()
    .replace(/(.{4})/g, '$1 ')
    .replace(/^(.{25})/, '$1 ')
    .trim();
const pathFor = (where: string) => `${rkt.localConfig}/trustedkeys/${where}/${key}`;
const environment = () => publisher.environment;

function trust(...args: readonly string[]) {
  return rkt.run(['trust', ...args.map((word) => word.replace('@', `${rkt.root}/`))], { env: environment() });
}

describe('rkt trust without review', () => {
  test.each([
    ['a file', ['--prefix=example.com/a', '@key.asc'], 'prefix.d/example.com/a'],
    ['a file, for every image', ['--root', '@key.asc'], 'root.d'],
    ['https', ['--prefix=example.com/b', 'https://example.com/key.asc'], 'prefix.d/example.com/b'],
    [
      'plain http',
      ['--prefix=example.com/c', '--insecure-allow-http', 'http://example.com/key.asc'],
      'prefix.d/example.com/c',
    ],
    ['what is announced', ['--prefix=example.com/team/app'], 'prefix.d/example.com/team/app'],
    [
      'what is announced at plain http',
      ['--prefix=example.com/plain/app', '--insecure-allow-http'],
      'prefix.d/example.com/plain/app',
    ],
  ])('takes %s', async (_, args, where) => {
    const { code, stdout, stderr } = await trust('--skip-fingerprint-review', ...args);
    const what = where === 'root.d' ? 'root key' : `key for prefix "${where.slice('prefix.d/'.length)}"`;
    expect({ code, stdout }).toEqual({ code: 0, stdout: `Added ${what} at "${pathFor(where)}"\n` });
    expect(stderr).toContain(`gpg key fingerprint is: ${grouped(key)}\n`);
    expect(stderr).toContain(
      `    Subkey fingerprint: ${grouped(subkey)}\n    Release <release@example.com>\n`,
    );
    expect(stderr).toMatch(/^Trusting ".*key\.asc" for prefix ".*" without fingerprint review\.$/m);
    expect(
      (await gpg.run(['--with-colons', '--show-keys', pathFor(where)])).toString().toLowerCase(),
    ).toContain(key);
  });

  test('is what --trust-keys-from-https stands for, as far as https goes', async () => {
    const args = ['--trust-keys-from-https', '--prefix=example.com/auto'];
    expect(await trust(...args, 'https://example.com/key.asc')).toMatchObject({ code: 0 });
    const others = [['@key.asc'], ['--insecure-options=tls', 'https://example.com/key.asc']];
    for (const other of others)
      expect(await trust(...args, ...other)).toMatchObject({ code: 254, stdout: '' });
  });
});

describe('rkt trust at a terminal', () => {
  const ask = (prefix: string) =>
    new TerminalCommand(rkt, rkt.argv(['trust', `--prefix=${prefix}`, rkt.path('key.asc')]));

  test('shows whose key it is, asks until it gets an answer, and trusts it on yes', async () => {
    const terminal = ask('example.com/asked');
    await terminal.waitFor(/Are you sure you want to trust this key \(yes\/no\)\? $/);
    expect(terminal.shown).toContain(`prefix: "example.com/asked"\nkey: "${rkt.path('key.asc')}"\n`);
    expect(terminal.shown).toContain(`gpg key fingerprint is: ${grouped(key)}\n`);
    terminal.type('y\n');
    await terminal.waitFor(/Please enter 'yes' or 'no'\nAre you sure [^\n]*$/);
    terminal.type('yes\n');
    expect((await terminal.finished).code).toBe(0);
    expect(terminal.shown).toContain('for prefix "example.com/asked" after fingerprint review.\n');
    expect(existsSync(pathFor('prefix.d/example.com/asked'))).toBe(true);
  });

  test('does not trust it on no', async () => {
    const terminal = ask('example.com/declined');
    await terminal.waitFor(/\(yes\/no\)\? $/);
    terminal.type('no\n');
    expect((await terminal.finished).code).toBe(0);
    expect(terminal.shown).toContain(`not trusting "${rkt.path('key.asc')}"\n`);
    expect(existsSync(pathFor('prefix.d/example.com/declined'))).toBe(false);
  });

  test.each([
    ['the end of the input', '\x04', 254],
    ['Ctrl-C', '\x03', 254],
  ])('nor on %s', async (_, typed, code) => {
    const terminal = ask('example.com/ended');
    await terminal.waitFor(/\(yes\/no\)\? $/);
    terminal.type(typed);
    expect((await terminal.finished).code).toBe(code);
    expect(existsSync(pathFor('prefix.d/example.com/ended'))).toBe(false);
  });
});

describe('refused is', () => {
  test.each<[string, RegExp]>([
    ['', /^trust: aborting due to implicit unbounded trust/],
    ['@key.asc', /^trust: aborting due to implicit unbounded trust/],
    ['--root', /^trust: --root needs a key/],
    ['--root --prefix=example.com @key.asc', /^trust: --root and --prefix usage mutually exclusive$/m],
    [
      '--prefix=https://example.com @key.asc',
      /^trust: --prefix must not contain a URL scheme, omit https:\/\/$/m,
    ],
    ['--prefix=Example.com @key.asc', /^trust: prefix "Example\.com" is no beginning of an image name/],
    ['--prefix=../../etc @key.asc', /is no beginning of an image name/],
    [
      '--prefix=example.com/x @key.asc',
      /lack of tty: run rkt trust at a terminal, or with --skip-fingerprint-review$/m,
    ],
    ['--prefix=example.com/x https://example.com/key.asc', /rkt trust --prefix "example\.com\/x"$/m],
    ['--prefix=example.com/x http://example.com/key.asc', /--insecure-allow-http/],
    ['--prefix=example.com/x ftp://example.com/key.asc', /only files and http or https URLs are supported/],
    ['--prefix=example.com/x @absent.asc', /error accessing the key .*absent\.asc/],
    ['--prefix=example.com/x https://example.com/absent.asc', /bad HTTP status code: 404/],
    ['--prefix=example.com/x https://example.com/team/app', /neither binary OpenPGP nor armor/],
    ['--prefix=example.com/nothing', /discovery failed/],
    ['--prefix=example.com/plain/app', /discovery failed.*plain http is not allowed/],
    ['--prefix=example.com/local/app --skip-fingerprint-review', /discovery failed/],
  ])('rkt trust %s', async (line, message) => {
    const { code, stdout, stderr } = await trust(...line.split(' ').filter((word) => word !== ''));
    expect({ code, stdout }).toEqual({ code: 254, stdout: '' });
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/^\s+at |node:internal/m);
    expect(existsSync(pathFor('prefix.d/example.com/x'))).toBe(false);
  });
});

test('a key that cannot be stored is said to be', async () => {
  writeFileSync(rkt.path('file'), '');
  const args = ['--root', '--skip-fingerprint-review', rkt.path('key.asc')];
  const argv = rkt.argv(['trust', ...args]).map((word) => word.replace(rkt.localConfig, rkt.path('file')));
  const { code, stderr } = await rkt.startArgv(argv).finished;
  expect(code).toBe(254);
  expect(stderr).toMatch(/^trust: E[A-Z]+: .*file/m);
});

test('a trusted key is a file that anybody may read, and nothing else is left beside it', async () => {
  await trust('--skip-fingerprint-review', '--prefix=example.com/files', '@key.asc');
  expect(readdirSync(`${rkt.localConfig}/trustedkeys/prefix.d/example.com/files`)).toEqual([key]);
  expect(readFileSync(pathFor('prefix.d/example.com/files'), 'latin1')).toMatch(
    /^-----BEGIN PGP PUBLIC KEY BLOCK-----/,
  );
});

describe('an image that is signed', () => {
  const fetch = (name: string, ...args: readonly string[]) =>
    rkt.run(['fetch', '--insecure-options=none', ...args, rkt.path(name)], { env: environment() });

  beforeAll(async () => {
    // Keys that were trusted above, for every image among them.
    rmSync(`${rkt.localConfig}/trustedkeys`, { recursive: true });
    const image = aci(tar.file('rootfs/hello', 'hello'));
    const signature = await gpg.signDetached(image, { by: [`${subkey}!`] });
    for (const name of ['signed', 'damaged', 'unsigned']) writeFileSync(rkt.path(`${name}.aci`), image);
    for (const name of ['signed', 'damaged']) writeFileSync(rkt.path(`${name}.aci.asc`), signature);
    appendFileSync(rkt.path('damaged.aci'), Buffer.alloc(512));
    const manifest = JSON.stringify({ ...ACI_MANIFEST, name: ANNOUNCED });
    const announced = tar.archive(tar.file('manifest', manifest), tar.directory('rootfs'));
    writeFileSync(rkt.path('announced.aci'), announced);
    writeFileSync(rkt.path('announced.aci.asc'), await gpg.signDetached(announced, { by: [key] }));
  });

  test('is fetched once its signer is trusted, and not before', async () => {
    const before = await fetch('signed.aci');
    expect(before).toMatchObject({ code: 254, stdout: '' });
    expect(before.stderr).toMatch(/openpgp: signature made by unknown entity/);
    await trust('--skip-fingerprint-review', `--prefix=${ACI_MANIFEST.name}`, '@key.asc');
    const { code, stdout, stderr } = await fetch('signed.aci');
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^sha512-[0-9a-f]{32}\n$/) });
    expect(stderr).toMatch(/signature verified:\n.*Release <release@example\.com>/);
  });

  test('is fetched by whoever trusts the key that its publisher announces', async () => {
    const argv = rkt.argv(['fetch', '--insecure-options=none', rkt.path('announced.aci')]);
    const env = environment();
    const { code, stderr } = await rkt.startArgv(argv, { env }).finished;
    expect(code).toBe(254);
    expect(stderr).toMatch(/lack of tty: call rkt with --trust-keys-from-https, or run at a terminal: /);
    const terminal = new TerminalCommand(rkt, argv, { env });
    await terminal.waitFor(/Are you sure you want to trust this key \(yes\/no\)\? $/);
    expect(terminal.shown).toContain(`gpg key fingerprint is: ${grouped(key)}\n`);
    terminal.type('yes\n');
    expect((await terminal.finished).code).toBe(0);
    expect(terminal.shown).toContain(
      `Added key for prefix "${ANNOUNCED}" at "${pathFor(`prefix.d/${ANNOUNCED}`)}"\n`,
    );
    expect(terminal.shown).toMatch(/sha512-[0-9a-f]{32}\n$/);
    const unseen = [...argv, '--trust-keys-from-https', `--local-config=${rkt.path('unseen')}`];
    expect(await rkt.startArgv(unseen, { env }).finished).toMatchObject({ code: 0 });
  });

  test.each([
    ['damaged.aci', /openpgp: invalid signature/],
    ['unsigned.aci', /signature/],
  ])('unless it is %s', async (name, message) => {
    await trust('--skip-fingerprint-review', `--prefix=${ACI_MANIFEST.name}`, '@key.asc');
    const { code, stdout, stderr } = await fetch(name);
    expect({ code, stdout }).toEqual({ code: 254, stdout: '' });
    expect(stderr).toMatch(message);
  });
});
