import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { BasicCredentials } from '../../../../src/config/index.ts';
import { openRegistry } from '../../../../src/image/registry/registry.ts';
import { TestAuthority } from '../../../support/certificates.ts';
import { ScriptedClient } from '../../../support/scripted-client.ts';
import {
  inTurn,
  MANIFEST,
  manifestAnswer,
  REPOSITORY,
  RegistryBench,
} from '../../../support/scripted-registry.ts';
import { type Answer, answering, type ScriptedServer } from '../../../support/scripted-server.ts';

const LOGIN: BasicCredentials = { user: 'alice', password: 'pass:word' };
const BASIC = `Basic ${Buffer.from('alice:pass:word').toString('base64')}`;
const withLogin = { credentials: () => LOGIN };

/** Takes these values of the header `authorization` and answers others with 401. */
function guarded(challenge: string | (() => string), accepted: readonly string[], answer: Answer): Answer {
  return (request, response) => {
    if (accepted.includes(request.headers.authorization ?? '')) return answer(request, response);
    const header = typeof challenge === 'string' ? challenge : challenge();
    response.writeHead(401, { 'www-authenticate': header }).end('{"errors":[{"code":"UNAUTHORIZED"}]}');
  };
}

const token = (body: Record<string, unknown>) => answering(200, {}, JSON.stringify(body));
const authorizations = (server: ScriptedServer) =>
  server.requests.map(({ headers }) => headers.authorization);
const refusal = (code: string, message: RegExp) =>
  expect.objectContaining({ name: 'ImageError', code, message: expect.stringMatching(message) });

async function bearerRegistry(bench: RegistryBench, tokens: Answer, accepted: readonly string[]) {
  const auth = await bench.serve(tokens);
  const challenge = `Bearer realm="${auth.origin}/token?x=1",service="registry.example",scope="repository:${REPOSITORY}:pull"`;
  return { auth, registry: await bench.serve(guarded(challenge, accepted, manifestAnswer)) };
}

test('whoever asks nobody who they are gets no login', async () => {
  await using bench = new RegistryBench();
  const registry = await bench.serve(manifestAnswer);
  expect((await bench.open(registry, withLogin).root()).text).toBe(MANIFEST);
  expect(authorizations(registry)).toEqual([undefined]);
});

test('a login goes to a registry that asks for one, and from then on with each request', async () => {
  await using bench = new RegistryBench();
  const registry = await bench.serve(guarded('Basic realm="x"', [BASIC], manifestAnswer));
  const source = bench.open(registry, withLogin);
  await source.root();
  await source.root();
  expect(authorizations(registry)).toEqual([undefined, BASIC, BASIC]);
});

test('a registry that is named with the port that https has anyway gets its login, too', async () => {
  const client = new ScriptedClient(({ url, headers }) => {
    const { authorization } = headers ?? {};
    const refused = { status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } };
    return { ...(authorization === BASIC ? { body: MANIFEST } : refused), url: new URL(url).href };
  });
  const reference = { registry: 'registry.example:443', repository: REPOSITORY, tag: 'latest' };
  const source = openRegistry(reference, { client, ...withLogin, insecureHttp: false });
  expect((await source.root()).text).toBe(MANIFEST);
  const url = `https://registry.example/v2/${REPOSITORY}/manifests/latest`;
  expect(client.asked('authorization')).toEqual([`${url} -`, `${url} ${BASIC}`]);
});

test('a token is fetched for what the registry says, without a login if there is none, and used until it ends', async () => {
  await using bench = new RegistryBench();
  const tokens = inTurn(token({ token: 'one', expires_in: 300 }), token({ access_token: 'two' }));
  const { auth, registry } = await bearerRegistry(bench, tokens, ['Bearer one', 'Bearer two']);
  const source = bench.open(registry);
  await source.root();
  await source.root();
  expect(authorizations(registry)).toEqual([undefined, 'Bearer one', 'Bearer one']);
  const [asked] = auth.requests;
  expect(Object.fromEntries(new URL(asked?.path ?? '', auth.origin).searchParams)).toEqual({
    x: '1',
    service: 'registry.example',
    scope: `repository:${REPOSITORY}:pull`,
  });
  expect(asked?.headers.authorization).toBeUndefined();

  bench.clock.pass(290_000);
  await source.root();
  expect(auth.requests).toHaveLength(1);
  bench.clock.pass(10_000);
  await source.root();
  expect(authorizations(registry).slice(3)).toEqual(['Bearer one', 'Bearer two']);
});

test('a login goes to whom the registry names for tokens', async () => {
  await using bench = new RegistryBench();
  const { auth, registry } = await bearerRegistry(bench, token({ token: 'one' }), ['Bearer one']);
  await bench.open(registry, withLogin).root();
  expect(authorizations(auth)).toEqual([BASIC]);
  expect(auth.requests[0]?.path).toContain('account=alice');
  expect(authorizations(registry)).toEqual([undefined, 'Bearer one']);
});

/** What is posted to a server, as forms, in the order in which it comes. */
function formsPostedTo(server: ScriptedServer): Record<string, string>[] {
  const forms: Record<string, string>[] = [];
  server.server.on('request', (request) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk;
    });
    request.on('end', () => forms.push(Object.fromEntries(new URLSearchParams(body))));
  });
  return forms;
}

const withIdentity = { credentials: () => ({ identityToken: 'long+lived/secret=' }) };

test('an identity token is exchanged for a token of the registry, again when that ends', async () => {
  await using bench = new RegistryBench();
  const tokens = inTurn(token({ access_token: 'one', expires_in: 300 }), token({ access_token: 'two' }));
  const { auth, registry } = await bearerRegistry(bench, tokens, ['Bearer one', 'Bearer two']);
  const forms = formsPostedTo(auth);
  const source = bench.open(registry, withIdentity);
  await source.root();
  await source.root();
  bench.clock.pass(300_000);
  await source.root();
  const form = {
    grant_type: 'refresh_token',
    client_id: 'rkt',
    refresh_token: 'long+lived/secret=',
    service: 'registry.example',
    scope: `repository:${REPOSITORY}:pull`,
  };
  expect(forms).toEqual([form, form]);
  expect(auth.asked).toEqual(['POST /token?x=1', 'POST /token?x=1']);
  expect(authorizations(auth)).toEqual([undefined, undefined]);
  expect(authorizations(registry)).toEqual([undefined, 'Bearer one', 'Bearer one', 'Bearer two']);
});

test.each<[string, Answer, string, RegExp]>([
  [
    'does not take it',
    answering(401, {}, '{"errors":[{"code":"UNAUTHORIZED"}]}'),
    'unauthorized',
    /^token from \S+: the identity token is not accepted: bad HTTP status code: 401 \(UNAUTHORIZED\)$/,
  ],
  [
    'says why in OAuth',
    answering(400, {}, '{"error":"invalid_grant","error_description":"revoked","message":{"no":"text"}}'),
    'bad-answer',
    /: bad HTTP status code: 400 \(invalid_grant, revoked\)$/,
  ],
  ['knows no such exchange', answering(404), 'not-found', /: not found: bad HTTP status code: 404$/],
  [
    'sends it elsewhere',
    answering(307, { location: 'http://127.0.0.1:1/token' }),
    'bad-answer',
    /: what was posted is not sent to another host$/,
  ],
])('an identity token, and a server of tokens that %s', async (_what, answer, code, message) => {
  await using bench = new RegistryBench();
  const { registry } = await bearerRegistry(bench, answer, []);
  const failed = bench.open(registry, withIdentity).root();
  await expect(failed).rejects.toEqual(refusal(code, message));
  await expect(failed).rejects.not.toThrow(/long|lived/);
});

test('an identity token is shown to no registry that asks for a password', async () => {
  await using bench = new RegistryBench();
  const registry = await bench.serve(guarded('Basic realm="x"', [], manifestAnswer));
  await expect(bench.open(registry, withIdentity).root()).rejects.toEqual(
    refusal('unauthorized', /: the login is not accepted: bad HTTP status code: 401 \(UNAUTHORIZED\)$/),
  );
  expect(authorizations(registry)).toEqual([undefined]);
});

test('a token that is refused in the middle of a pull is replaced once for all who have it', async () => {
  await using bench = new RegistryBench();
  const accepted = ['Bearer one'];
  const tokens = inTurn(token({ token: 'one', expires_in: 3600 }), token({ token: 'two' }), answering(500));
  const { auth, registry } = await bearerRegistry(bench, tokens, accepted);
  const source = bench.open(registry);
  await source.root();
  accepted.splice(0, 1, 'Bearer two');
  await Promise.all([source.root(), source.root(), source.root()]);
  expect(auth.requests).toHaveLength(2);
  expect(authorizations(registry).filter((value) => value === 'Bearer two')).toHaveLength(3);
});

test('without a scope a token for pulling is asked for', async () => {
  await using bench = new RegistryBench();
  const auth = await bench.serve(token({ token: 'one' }));
  const registry = await bench.serve(
    guarded(`Bearer realm="${auth.origin}"`, ['Bearer one'], manifestAnswer),
  );
  await bench.open(registry).root();
  expect(auth.asked).toEqual([`GET /?scope=${encodeURIComponent(`repository:${REPOSITORY}:pull`)}`]);
});

test.each([
  [
    'nobody is logged in',
    'Basic realm="x"',
    {},
    /: authentication required: bad HTTP status code: 401 \(UNAUTHORIZED\)$/,
  ],
  [
    'the login is wrong',
    'Basic realm="x"',
    withLogin,
    /: the login is not accepted: bad HTTP status code: 401 \(UNAUTHORIZED\)$/,
  ],
  ['no way is known', 'Negotiate', withLogin, /: bad HTTP status code: 401/],
  ['no way is named', '', withLogin, /: bad HTTP status code: 401/],
])('a registry that is not content: %s', async (_what, challenge, options, message) => {
  await using bench = new RegistryBench();
  const registry = await bench.serve(guarded(challenge, [], manifestAnswer));
  const failed = bench.open(registry, options).root();
  await expect(failed).rejects.toEqual(refusal('unauthorized', message));
  await expect(failed).rejects.toEqual(
    refusal('unauthorized', /^manifest 1 of team\/app in 127\.0\.0\.1:\d+: /),
  );
  await expect(failed).rejects.not.toThrow(/pass:word|alice/);
  expect(registry.requests.length).toBeLessThanOrEqual(2);
});

test('a registry that takes no token it has made is not asked for ever', async () => {
  await using bench = new RegistryBench();
  const { registry } = await bearerRegistry(bench, token({ token: 'one' }), []);
  await expect(bench.open(registry).root()).rejects.toEqual(refusal('unauthorized', /401/));
  expect(registry.requests).toHaveLength(2);
});

test.each<[string, Answer, string, RegExp]>([
  [
    'a wrong login',
    answering(401, {}, '{"details":"wrong"}'),
    'unauthorized',
    /^token from http:\S+\/token\?\.\.\.: user or password are not accepted: bad HTTP status code: 401 \(wrong\)$/,
  ],
  [
    'a forbidden repository',
    answering(403),
    'forbidden',
    /^token from .*: access denied: bad HTTP status code: 403$/,
  ],
  ['no JSON', answering(200, {}, 'secret'), 'bad-answer', /^token from .*: its answer is not understood$/],
  ['no token', token({}), 'bad-answer', /: there is none in the answer$/],
  [
    'a token that would end its header',
    token({ token: 'secret\r\nx: y' }),
    'bad-answer',
    /: there is none in the answer$/,
  ],
  [
    'a token of another kind',
    token({ token: ['secret'] }),
    'bad-answer',
    /: its answer is not understood at token$/,
  ],
  ['a life of another kind', token({ token: 'secret', expires_in: 'ever' }), 'bad-answer', /at expires_in$/],
  ['an endless answer', answering(200, {}, ' '.repeat(2_000_000)), 'too-large', /is longer than \d+ bytes$/],
])('a server of tokens that has %s', async (_what, answer, code, message) => {
  await using bench = new RegistryBench();
  const { registry } = await bearerRegistry(bench, answer, ['Bearer secret']);
  const failed = bench.open(registry, withLogin).root();
  await expect(failed).rejects.toEqual(refusal(code, message));
  await expect(failed).rejects.not.toThrow(/secret|pass:word/);
  expect(bench.clock.pauses).toEqual([]);
});

test('a server of tokens that fails, or limits its requests, is asked again', async () => {
  await using bench = new RegistryBench();
  const tokens = inTurn(answering(503), answering(429, { 'retry-after': '7' }), token({ token: 'one' }));
  const { registry } = await bearerRegistry(bench, tokens, ['Bearer one']);
  await bench.open(registry).root();
  expect(bench.clock.pauses).toEqual([500, 7000]);
});

test.each(['ftp://auth.example/', 'file:///etc/passwd', 'https://user:secret@auth.example/', 'token', ''])(
  'nobody asks for a token at %o',
  async (realm) => {
    await using bench = new RegistryBench();
    const registry = await bench.serve(guarded(`Bearer realm="${realm}"`, [], manifestAnswer));
    const failed = bench.open(registry, withLogin).root();
    await expect(failed).rejects.toEqual(
      refusal('bad-answer', /^cannot get a token where the registry says: /),
    );
    await expect(failed).rejects.not.toThrow(/secret/);
  },
);

test('whom a registry redirects to is not shown the login, however it asks', async () => {
  await using bench = new RegistryBench();
  const tokens = await bench.serve(token({ token: 'stolen' }));
  const store = await bench.serve(
    guarded(`Bearer realm="${tokens.origin}", Basic realm="x"`, [], manifestAnswer),
  );
  const redirect = answering(307, { location: `${store.origin}/object` });
  const registry = await bench.serve(guarded('Basic realm="x"', [BASIC], redirect));
  await expect(bench.open(registry, withLogin).root()).rejects.toEqual(refusal('unauthorized', /401/));
  expect(authorizations(registry)).toEqual([undefined, BASIC]);
  expect([authorizations(store), tokens.requests]).toEqual([[undefined], []]);
});

test('a login that came over TLS is not sent on without it, also where plain http is allowed', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'rkt-tokens-'));
  try {
    const authority = await TestAuthority.create(directory);
    await using bench = new RegistryBench({ SSL_CERT_FILE: authority.caPath });
    const tokens = await bench.serve(token({ token: 'one' }));
    const guard = guarded(`Bearer realm="${tokens.origin}"`, ['Bearer one'], manifestAnswer);
    const registry = await bench.serve(guard, await authority.issue('registry'));
    await expect(bench.open(registry, withLogin).root()).rejects.toEqual(
      refusal('insecure', /^token from http:\S+: the login is not sent over plain http$/),
    );
    await expect(bench.open(registry, withIdentity).root()).rejects.toMatchObject({ code: 'insecure' });
    expect(tokens.requests).toEqual([]);
    expect((await bench.open(registry).root()).text).toBe(MANIFEST);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
