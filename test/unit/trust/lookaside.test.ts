import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { parseACIdentifier, sanitizeACIdentifier } from '../../../src/appc/index.ts';
import { parseDigest, parseDockerReference } from '../../../src/oci/index.ts';
import { loadLookaside, verifySimpleSigning } from '../../../src/trust/index.ts';
import { lookasideUrl } from '../../../src/trust/lookaside.ts';
import { aci, sha256, writeLayout } from '../../support/image-files.ts';
import { TestRegistry } from '../../support/registry.ts';
import { useSigners } from './signers.ts';

const { gpg, key, trusting, at } = useSigners('rsa2048');
const HEX = sha256(Buffer.from('a manifest'));
const DIGEST = parseDigest(`sha256:${HEX}`);
const nothing = async () => undefined;

test.each([
  ['https://example.com/signatures', `https://example.com/signatures/library/app@sha256=${HEX}/signature-1`],
  ['https://example.com/signatures/', `https://example.com/signatures/library/app@sha256=${HEX}/signature-1`],
  ['http://example.com:8080', `http://example.com:8080/library/app@sha256=${HEX}/signature-1`],
  ['file:///var/lib/signatures', `file:///var/lib/signatures/library/app@sha256=${HEX}/signature-1`],
])('below %s', (base, url) => {
  expect(lookasideUrl(base, 'library/app', DIGEST, 1)).toBe(url);
});

test.each([
  'signatures',
  '/var/lib/signatures',
  'ftp://example.com',
  'https://example.com/?a=b',
  'https://a/#b',
])('%s is no place of signatures', (base) => {
  expect(() => lookasideUrl(base, 'library/app', DIGEST, 1)).toThrow(
    expect.objectContaining({ code: 'bad-lookaside', message: expect.stringContaining(base) }),
  );
});

test('signatures are asked for until a number is missing', async () => {
  const asked: string[] = [];
  const load = async (url: string) => {
    asked.push(url.slice(url.lastIndexOf('/') + 1));
    return asked.length < 3 ? Buffer.from(url) : undefined;
  };
  expect(await loadLookaside('https://example.com', 'a/b', DIGEST, load)).toHaveLength(2);
  expect(asked).toEqual(['signature-1', 'signature-2', 'signature-3']);
});

test('a server that always has another is left', async () => {
  let asked = 0;
  const load = async () => Buffer.from(`${++asked}`);
  expect(await loadLookaside('https://example.com', 'a/b', DIGEST, load)).toHaveLength(16);
  expect(asked).toBe(16);
});

test('files are read where they are, and only so far', async () => {
  const base = pathToFileURL(at('with space')).href;
  const directory = at('with space/a/b@sha256='.concat(HEX));
  mkdirSync(directory, { recursive: true });
  writeFileSync(`${directory}/signature-1`, 'one');
  writeFileSync(`${directory}/signature-3`, 'not reached');
  expect(await loadLookaside(base, 'a/b', DIGEST, nothing)).toEqual([Buffer.from('one')]);
  expect(await loadLookaside(base, 'a/c', DIGEST, nothing)).toEqual([]);
  writeFileSync(`${directory}/signature-2`, Buffer.alloc(65_537));
  await expect(loadLookaside(base, 'a/b', DIGEST, nothing)).rejects.toMatchObject({ code: 'too-large' });
});

test('a device in place of a signature is not read', async () => {
  const directory = at('a/b@sha256='.concat(HEX));
  mkdirSync(directory, { recursive: true });
  symlinkSync('/dev/zero', `${directory}/signature-1`);
  const base = pathToFileURL(at()).href;
  await expect(loadLookaside(base, 'a/b', DIGEST, nothing)).rejects.toMatchObject({ code: 'too-large' });
});

test('what `skopeo copy --sign-by` leaves beside a registry is found and verified', async () => {
  await using registry = await TestRegistry.start();
  const lookaside = pathToFileURL(at('signatures')).href;
  mkdirSync(at('registries.d'));
  const places = { lookaside, 'lookaside-staging': lookaside };
  writeFileSync(at('registries.d/test.yaml'), JSON.stringify({ docker: { [registry.address]: places } }));
  const layout = writeLayout(at('layout'), [{ tar: aci() }]);
  const name = `${registry.address}/team/app:1`;
  await gpg.command('skopeo', [
    '--insecure-policy',
    `--registries.d=${at('registries.d')}`,
    ...[
      'copy',
      '--dest-tls-verify=false',
      `--sign-by=${key('rsa2048').toUpperCase()}`,
      layout,
      `docker://${name}`,
    ],
  ]);
  const manifestDigest = parseDigest((await registry.inspect('team/app:1', ['--format={{.Digest}}'])).trim());
  const signatures = await loadLookaside(lookaside, 'team/app', manifestDigest, nothing);
  expect(signatures).toHaveLength(1);
  const keyName = sanitizeACIdentifier(`${registry.address}/team/app`);
  const keystore = await trusting(['rsa2048'], parseACIdentifier(keyName.slice(0, keyName.indexOf('/app'))));
  const signed = { signatures, manifestDigest, keystore, keyName };
  expect(await verifySimpleSigning({ ...signed, reference: parseDockerReference(name) })).toMatchObject({
    fingerprint: key('rsa2048'),
  });
  const other = parseDockerReference(`${registry.address}/team/app:2`);
  await expect(verifySimpleSigning({ ...signed, reference: other })).rejects.toMatchObject({
    code: 'wrong-name',
  });
});
