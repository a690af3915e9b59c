import { writeFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { noisyLayer, useRegistryBench } from '../support/registry-bench.ts';
import type { Answer, ScriptedServer } from '../support/scripted-server.ts';

// Registries that send who asks to a server of tokens, as the large ones do: with nothing, with a login, with an identity token.

const { rkt, publish, serveBy, through, inStore, fetchFrom } = useRegistryBench();
const LOGIN = `Basic ${Buffer.from('alice:correct horse').toString('base64')}`;
const IDENTITY = 'long+lived/identity=';
const SCOPE = 'repository:team/app:pull';

beforeAll(async () => {
  await publish('team/app:1', [noisyLayer('a', 1), noisyLayer('b', 2)]);
});

/** Gives `TOKEN` to whom it is for; `forms` are those that were posted. */
async function tokenServer(accepts: (authorization: string | undefined, form: URLSearchParams) => boolean) {
  const server = await serveBy(() => undefined);
  server.server.on('request', (request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk;
    });
    request.on('end', () => {
      const { authorization } = request.headers;
      const token = JSON.stringify({ access_token: 'TOKEN', expires_in: 300 });
      if (accepts(authorization, new URLSearchParams(body))) response.end(token);
      else response.writeHead(401).end('{"errors":[{"code":"UNAUTHORIZED"}]}');
    });
  });
  return server;
}

/** The registry, for those who show the token. */
function guarded(tokens: ScriptedServer): Promise<ScriptedServer> {
  const realm = `Bearer realm="${tokens.origin}/token",service="registry.example",scope="${SCOPE}"`;
  const answer: Answer = (request, response) => {
    if (request.headers.authorization === 'Bearer TOKEN') through(request, response);
    else response.writeHead(401, { 'www-authenticate': realm }).end();
  };
  return serveBy(answer);
}

function authFile(registry: ScriptedServer, entry: object): string {
  const path = rkt.path('auth.json');
  writeFileSync(path, JSON.stringify({ auths: { [registry.address]: entry } }));
  return `--auth-file=${path}`;
}

test('nobody in particular gets a token, and shows it from then on', async () => {
  await using tokens = await tokenServer((authorization) => authorization === undefined);
  await using registry = await guarded(tokens);
  const { code, asked } = await fetchFrom(registry, 'team/app:1', [inStore('anonymous')]);
  expect(code).toBe(0);
  expect(tokens.asked).toEqual([`GET /token?service=registry.example&scope=${encodeURIComponent(SCOPE)}`]);
  expect(asked.slice(0, 2)).toEqual(['GET app/manifests/1', 'GET app/manifests/1']);
  expect(asked).toHaveLength(5);
});

test('a login goes to the server of tokens, and to nobody else', async () => {
  await using tokens = await tokenServer((authorization) => authorization === LOGIN);
  await using registry = await guarded(tokens);
  const auth = authFile(registry, { auth: Buffer.from('alice:correct horse').toString('base64') });
  expect(await fetchFrom(registry, 'team/app:1', [inStore('login'), auth])).toMatchObject({ code: 0 });
  expect(registry.requests.map(({ headers }) => headers.authorization)).not.toContain(LOGIN);
});

test('an identity token is exchanged, in a form that no log has', async () => {
  const forms: Record<string, string>[] = [];
  await using tokens = await tokenServer((authorization, form) => {
    forms.push(Object.fromEntries(form));
    return authorization === undefined && form.get('refresh_token') === IDENTITY;
  });
  await using registry = await guarded(tokens);
  const auth = authFile(registry, { identitytoken: IDENTITY });
  expect(await fetchFrom(registry, 'team/app:1', [inStore('identity'), auth])).toMatchObject({ code: 0 });
  expect(tokens.asked).toEqual(['POST /token']);
  expect(forms).toEqual([
    {
      grant_type: 'refresh_token',
      client_id: 'rkt',
      refresh_token: IDENTITY,
      service: 'registry.example',
      scope: SCOPE,
    },
  ]);
});

test.each([
  ['a login', { username: 'alice', password: 'wrong secret' }, 'user or password are not accepted'],
  ['an identity token', { identitytoken: 'wrong secret' }, 'the identity token is not accepted'],
  ['nothing', {}, 'a login is required'],
])('%s that is not accepted is told, without its words', async (_what, entry, words) => {
  await using tokens = await tokenServer(() => false);
  await using registry = await guarded(tokens);
  const { code, id, stderr } = await fetchFrom(registry, 'team/app:1', [
    inStore('refused'),
    authFile(registry, entry),
  ]);
  expect({ code, id }).toEqual({ code: 254, id: '' });
  expect(stderr).toMatch(/^fetch: .*: token from https:\S+\/token(\?\.\.\.)?: [^\n]*\n$/);
  expect(stderr).toContain(`${words}: bad HTTP status code: 401 (UNAUTHORIZED)`);
  expect(stderr).not.toMatch(/secret|alice/);
});
