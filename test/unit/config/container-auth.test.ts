import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type ContainerAuth, openContainerAuth } from '../../../src/config/index.ts';

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'rkt-auth-'));
  vi.stubEnv('PATH', `${root}:/usr/bin:/bin`);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(root, { recursive: true });
});

const pair = (user: string, password: string) => Buffer.from(`${user}:${password}`).toString('base64');
const login = (user: string) => ({ auth: pair(user, 'p') });

function put(name: string, content: unknown): string {
  const path = join(root, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

const open = (...contents: object[]): ContainerAuth =>
  openContainerAuth({
    given: contents.map((content, index) => put(`auth-${index}.json`, content)),
    configured: [],
  });

/** A credential helper: a program that is a shell script here. */
function helper(name: string, script: string): void {
  chmodSync(put(`docker-credential-${name}`, `#!/bin/sh\n${script}\n`), 0o755);
}

const userOf = async (auth: ContainerAuth, registry: string, repository = 'team/app') => {
  const found = await auth.lookup(registry, repository);
  return found !== undefined && 'user' in found ? found.user : found;
};

describe('container credentials', () => {
  it.each([
    ['a.example', 'a.example'],
    ['https://a.example', 'a.example'],
    ['https://a.example/v1/', 'a.example'],
    ['a.example/v2/', 'a.example'],
    ['http://A.example/anything', 'a.example'],
    ['localhost:5000', 'localhost:5000'],
    ['[::1]:5000', '[::1]:5000'],
    ['https://index.docker.io/v1/', 'registry-1.docker.io'],
    ['docker.io', 'registry-1.docker.io'],
    ['registry-1.docker.io', 'docker.io'],
  ])('under %s are for %s', async (key, registry) => {
    expect(await userOf(open({ auths: { [key]: login('u') } }), registry)).toBe('u');
  });

  it('are of the narrowest scope that holds the repository', async () => {
    const auth = open({
      auths: {
        'a.example': login('host'),
        'a.example/team': login('team'),
        'a.example/team/app/deep': login('deep'),
        'docker.io/library': login('library'),
      },
    });
    expect(await userOf(auth, 'a.example', 'team/app')).toBe('team');
    expect(await userOf(auth, 'a.example', 'team')).toBe('team');
    expect(await userOf(auth, 'a.example', 'teams/app')).toBe('host');
    expect(await userOf(auth, 'a.example', 'team/app/deep/er')).toBe('deep');
    expect(await userOf(auth, 'registry-1.docker.io', 'library/debian')).toBe('library');
  });

  it('are for no other host or port', async () => {
    const auth = open({ auths: { 'a.example': login('u'), 'a.example:5000': login('port') } });
    expect(await userOf(auth, 'b.a.example')).toBeUndefined();
    expect(await userOf(auth, 'a.example.org')).toBeUndefined();
    expect(await userOf(auth, 'a.example:443')).toBeUndefined();
    expect(await userOf(auth, 'a.example:5000')).toBe('port');
  });

  it('are passwords with colons in them, filled up with zero bytes, or tokens', async () => {
    const auth = open({
      auths: {
        colons: { auth: pair('u', 'a:b:c') },
        zeros: { auth: pair('u', 'p\0\0') },
        plain: { username: 'u', password: 'p' },
        token: { auth: pair('u', ''), identitytoken: 'secret' },
        empty: {},
      },
    });
    const lookup = (registry: string) => auth.lookup(registry, 'x');
    expect(await lookup('colons')).toEqual({ user: 'u', password: 'a:b:c' });
    expect(await lookup('zeros')).toEqual({ user: 'u', password: 'p' });
    expect(await lookup('plain')).toEqual({ user: 'u', password: 'p' });
    expect(await lookup('token')).toEqual({ identityToken: 'secret' });
    expect(await lookup('empty')).toBeUndefined();
  });

  it('are those of the first file that has any', async () => {
    const auth = open({ auths: { a: login('first') } }, { auths: { a: login('second'), b: login('b') } });
    expect(await userOf(auth, 'a')).toBe('first');
    expect(await userOf(auth, 'b')).toBe('b');
  });

  it('given for one command come before those of the configuration', async () => {
    const [given, configured] = [{ auths: { a: login('given') } }, { auths: { a: login('configured') } }];
    const paths = { given: [put('g', given)], configured: [put('c', configured)] };
    expect(await userOf(openContainerAuth(paths), 'a')).toBe('given');
    expect(await userOf(openContainerAuth({ ...paths, given: [] }), 'a')).toBe('configured');
  });

  it('need not be there when they are of the configuration', () => {
    const missing = join(root, 'missing.json');
    expect(() => openContainerAuth({ given: [], configured: [missing] })).not.toThrow();
    expect(() => openContainerAuth({ given: [missing], configured: [] })).toThrow(
      `unable to read credentials from ${missing}`,
    );
  });
});

describe('credential helpers', () => {
  // Answers with what it was asked for, and by whom.
  const ECHO =
    'read server; printf \'{"ServerURL":"%s","Username":"%s %s","Secret":"s"}\' "$server" "$1" "$server"';

  it('answer for their registries before what is stored', async () => {
    helper('own', ECHO);
    const auth = open({ credHelpers: { 'a.example': 'own' }, auths: { 'a.example': login('u') } });
    expect(await userOf(auth, 'a.example')).toBe('get a.example');
  });

  it('answer for all registries of which nothing is stored', async () => {
    helper('all', ECHO);
    const auth = open({ credsStore: 'all', auths: { 'a.example': login('u'), 'b.example': {} } });
    expect(await userOf(auth, 'a.example')).toBe('u');
    expect(await userOf(auth, 'b.example')).toBe('get b.example');
    expect(await userOf(auth, 'docker.io')).toBe('get https://index.docker.io/v1/');
  });

  it('may have tokens, or nothing', async () => {
    helper('token', 'printf \'{"Username":"<token>","Secret":"s"}\'');
    helper('none', 'echo credentials not found in native keychain; exit 1');
    const auth = open({ credHelpers: { a: 'token', b: 'none' } });
    expect(await auth.lookup('a', 'x')).toEqual({ identityToken: 's' });
    expect(await auth.lookup('b', 'x')).toBeUndefined();
  });

  it('that know Docker by its name are asked for that too', async () => {
    const script = `read server; [ "$server" = docker.io ] && exec printf '{"Username":"hub","Secret":"s"}'`;
    helper('podman', `${script}\necho credentials not found in native keychain; exit 1`);
    expect(await userOf(open({ credsStore: 'podman' }), 'docker.io')).toBe('hub');
  });

  it.each([
    ['is missing', undefined, 'docker-credential-bad gave no credentials for a: no such program'],
    ['fails', 'echo locked keychain; exit 1', 'exit code 1: locked keychain'],
    ['fails on stderr', 'echo no dbus >&2; exit 3', 'exit code 3: no dbus'],
    ['talks too much', 'yes | head -c 70000', 'more than 65536 bytes of answer'],
    ['answers nonsense', 'echo hunter2', 'bad answer'],
    ['answers half', 'echo \'{"Username":"hunter2"}\'', 'bad answer: Secret'],
  ])('that %s are named, their secrets are not', async (_, script, message) => {
    if (script !== undefined) helper('bad', script);
    const failure = open({ credHelpers: { a: 'bad' } }).lookup('a', 'x');
    await expect(failure).rejects.toThrow(message);
    const error: unknown = await failure.catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'credential-helper' });
    expect(error).not.toHaveProperty('cause');
    expect(`${error}`).not.toContain('hunter2');
  });

  it('end when whoever waits for them does', async () => {
    helper('slow', 'exec sleep 60');
    const reason = new Error('enough');
    const waiting = open({ credHelpers: { a: 'slow' } }).lookup('a', 'x', AbortSignal.abort(reason));
    await expect(waiting).rejects.toBe(reason);
  });
});

describe('a credentials file is refused for', () => {
  it.each([
    ['no JSON', '{"auths": {"a": hunter2', 'not JSON'],
    ['a list', '[]', 'expected an object'],
    [
      'a pair without a colon',
      { auths: { a: { auth: 'aHVudGVyMg==' } } },
      'expected the base64 of USER:PASSWORD',
    ],
    ['no base64', { auths: { a: { auth: 'hunter2:%' } } }, 'auths.a.auth: expected the base64'],
    ['a password that is a number', { auths: { a: { auth: 4711 } } }, 'auths.a.auth: expected a string'],
    ['a helper elsewhere', { credHelpers: { a: '../../bin/sh' } }, 'credHelpers.a: expected the name of'],
    ['a helper that is an option', { credsStore: '-x' }, 'credsStore: expected the name of'],
  ])('%s, without saying what is in it', (_, content, message) => {
    const path = put('bad.json', content);
    const act = () => openContainerAuth({ given: [path], configured: [] });
    expect(act).toThrow(message);
    expect(act).toThrow(`${path}: `);
    expect(act).not.toThrow(/hunter2|4711/);
  });
});
