import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openHttpClient } from '../../../../src/image/http/client.ts';
import type { Environment } from '../../../../src/image/http/proxy.ts';
import { type Certificate, TestAuthority } from '../../../support/certificates.ts';
import { answering, ScriptedServer } from '../../../support/scripted-server.ts';

// An authority that the system does not know, as companies have them.

let directory = '';
let authority: TestAuthority;
let certificate: Certificate;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'rkt-tls-'));
  authority = await TestAuthority.create(directory);
  certificate = await authority.issue('server');
});
afterAll(() => rmSync(directory, { recursive: true }));

interface Attempt {
  readonly environment?: Environment;
  readonly insecureTls?: boolean;
  readonly insecureHttp?: boolean;
}

async function attempt(
  url: string,
  { environment = {}, insecureTls = false, insecureHttp = false }: Attempt,
) {
  const client = openHttpClient({ environment, insecureTls, insecureHttp });
  try {
    const response = await client.send({ url });
    await response.discard();
    return response.status;
  } finally {
    await client.close();
  }
}

const refusal = (code: string, message: RegExp) =>
  expect.objectContaining({ name: 'ImageError', code, message: expect.stringMatching(message) });

test('an authority of the operator is trusted once a variable names it', async () => {
  await using server = await ScriptedServer.start(answering(200), certificate);
  const certificates = join(directory, 'certs');
  mkdirSync(certificates);
  symlinkSync(authority.caPath, join(certificates, 'company.pem'));
  symlinkSync('/nowhere', join(certificates, 'stale.pem'));
  for (const environment of [
    { SSL_CERT_FILE: authority.caPath },
    { SSL_CERT_DIR: `/no/such/directory:${certificates}` },
    { NODE_EXTRA_CA_CERTS: authority.caPath },
  ])
    expect(await attempt(server.origin, { environment })).toBe(200);
});

test.each<[string, RegExp, Parameters<TestAuthority['issue']>[1]]>([
  [
    'an unknown authority',
    /the certificate is not signed by an authority that is trusted here \(--insecure-options=tls/,
    {},
  ],
  ['a certificate of last year', /the certificate has expired \(--insecure-options=tls/, { days: -1 }],
  [
    'another name',
    /the certificate is for DNS:elsewhere\.example, not for this host/,
    { names: 'DNS:elsewhere.example' },
  ],
])('%s is refused with its reason, and taken when nobody minds', async (what, message, options) => {
  await using server = await ScriptedServer.start(answering(200), await authority.issue('odd', options));
  const environment: Environment = what === 'an unknown authority' ? {} : { SSL_CERT_FILE: authority.caPath };
  await expect(attempt(server.origin, { environment })).rejects.toEqual(refusal('insecure', message));
  expect(server.requests).toEqual([]);
  expect(await attempt(server.origin, { environment, insecureTls: true })).toBe(200);
});

test('a certificate that signs itself', async () => {
  await using server = await ScriptedServer.start(answering(200), {
    certificatePath: authority.caPath,
    keyPath: join(directory, 'ca.key'),
  });
  await expect(attempt(server.origin, {})).rejects.toEqual(refusal('insecure', /is signed by itself/));
});

test('who speaks plain http where TLS is expected', async () => {
  await using server = await ScriptedServer.start(answering(200));
  const url = server.origin.replace('http:', 'https:');
  await expect(attempt(url, {})).rejects.toEqual(
    refusal('insecure', /it does not speak TLS \(--insecure-options=http/),
  );
});

test('https does not lead to http unless that is allowed', async () => {
  await using plain = await ScriptedServer.start(answering(200));
  await using server = await ScriptedServer.start(
    answering(302, { location: `${plain.origin}/x` }),
    certificate,
  );
  const environment = { SSL_CERT_FILE: authority.caPath };
  await expect(attempt(server.origin, { environment })).rejects.toEqual(
    refusal('insecure', /^cannot fetch http:\S+, to which https:\S+ redirects: plain http is not allowed/),
  );
  expect(plain.requests).toEqual([]);
  expect(await attempt(server.origin, { environment, insecureHttp: true })).toBe(200);
});

test('a tunnel through a proxy ends at the server: the certificate is the one that counts', async () => {
  await using server = await ScriptedServer.start(answering(200), certificate);
  await using proxy = await ScriptedServer.start(answering(500));
  proxy.server.on('connect', (_request, socket) => {
    const port = Number(server.address.split(':')[1]);
    const target = connect(port, '127.0.0.1', () => socket.write('HTTP/1.1 200 OK\r\n\r\n'));
    target.pipe(socket).pipe(target);
    for (const end of [target, socket]) end.on('error', () => undefined);
  });
  const environment = { SSL_CERT_FILE: authority.caPath, https_proxy: proxy.origin };
  await expect(attempt('https://registry.example/', { environment })).rejects.toEqual(
    refusal('insecure', /the certificate is for DNS:localhost, IP Address:127\.0\.0\.1, not for this host/),
  );
  expect(await attempt('https://registry.example/', { environment, insecureTls: true })).toBe(200);
  expect(server.requests).toMatchObject([{ headers: { host: 'registry.example' } }]);
});

test('a list of authorities that cannot be read is named', async () => {
  await using server = await ScriptedServer.start(answering(200), certificate);
  for (const name of ['SSL_CERT_FILE', 'NODE_EXTRA_CA_CERTS'])
    await expect(attempt(server.origin, { environment: { [name]: '/no/such/list' } })).rejects.toEqual(
      refusal('system', new RegExp(`^cannot read ${name}: ENOENT.*'/no/such/list'$`)),
    );
});
