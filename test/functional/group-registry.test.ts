import { chmodSync, copyFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { GroupHost } from '../support/group-member.ts';
import { tinyImages } from '../support/images.ts';
import { TestRegistry } from '../support/registry.ts';
import { useRkt } from '../support/rkt.ts';

// Members of the group `rkt` and registries: root's logins are not theirs, and what they fetch is there for root.

const LOGIN = { user: 'alice', password: 'correct horse' };
const rkt = useRkt();
const host = new GroupHost(rkt);
let registry: TestRegistry;
let image = '';
beforeAll(async () => {
  const { ociLayout } = await tinyImages();
  registry = await TestRegistry.start({ tls: true, login: LOGIN });
  await registry.push(`oci:${ociLayout}:latest`, 'team/tiny:1');
  image = `docker://${registry.address}/team/tiny:1`;
  // Where users can read it.
  copyFileSync(registry.caPath ?? '', rkt.path('ca.crt'));
  chmodSync(rkt.path('ca.crt'), 0o644);
  const secrets = join(rkt.localConfig, 'auth.d');
  mkdirSync(secrets, { mode: 0o700 });
  const registries = [registry.address];
  const entry = { rktKind: 'dockerAuth', rktVersion: 'v1', registries, credentials: LOGIN };
  writeFileSync(join(secrets, 'registry.json'), JSON.stringify(entry), { mode: 0o600 });
  // A host where root has used rkt before.
  await host.root(['fetch', '--pull-policy=never', 'example.com/none']);
});
afterAll(() => registry?.close());

const env = () => ({ SSL_CERT_FILE: rkt.path('ca.crt') });

test("a member has no login of root's, which is no error by itself", async () => {
  const refused = await host.member(['fetch', image], { env: env() });
  expect(refused).toMatchObject({ code: 254, stdout: '' });
  expect(refused.stderr).toMatch(/^fetch: .*: authentication required: bad HTTP status code: 401 .*\n$/);
});

test('a member fetches with a login of their own, for root to run without asking the registry again', async () => {
  const auth = Buffer.from(`${LOGIN.user}:${LOGIN.password}`).toString('base64');
  writeFileSync(rkt.path('auth.json'), JSON.stringify({ auths: { [registry.address]: { auth } } }));
  const flags = [`--auth-file=${rkt.path('auth.json')}`];
  const fetched = await host.member(['fetch', '--full', ...flags, image], { env: env() });
  expect(fetched).toMatchObject({ code: 0, stdout: expect.stringMatching(/^sha256-\w{64}\n$/) });
  expect(readdirSync(join(rkt.dir, 'cas/layer'))).toEqual([]);
  const before = registry.requests().length;
  const ran = await host.root(['run', '--net=none', image], { env: env(), timeoutSeconds: 240 });
  expect(ran).toMatchObject({ code: 0, stdout: 'hello from the image\n' });
  expect(registry.requests()).toHaveLength(before);
  // Whoever fetches it again asks whether it is still the same, and notes so.
  expect(await host.root(['fetch', '--full', image], { env: env() })).toMatchObject({
    code: 0,
    stdout: fetched.stdout,
  });
  expect(await host.member(['fetch', '--full', ...flags, image], { env: env() })).toMatchObject({
    code: 0,
    stdout: fetched.stdout,
  });
  expect(
    registry
      .requests()
      .slice(before)
      .every((line) => line.startsWith('HEAD')),
  ).toBe(true);
});
