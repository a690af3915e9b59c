import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parsePodArguments } from '../../../src/cli/app-arguments.ts';
import { messageOf } from '../../../src/cli/exit-code.ts';
import { GLOBAL_FLAGS } from '../../../src/cli/global-flags.ts';
import { APP_FLAGS, POD_FLAGS } from '../../../src/cli/run-flags.ts';
import { runRequest } from '../../../src/cli/run-request.ts';

const directory = mkdtempSync(join(tmpdir(), 'rkt-request-'));
afterAll(() => rmSync(directory, { recursive: true }));

const request = (...args: string[]) =>
  runRequest(parsePodArguments(args, { pod: [...POD_FLAGS, ...GLOBAL_FLAGS], app: APP_FLAGS }));
const file = (name: string, text: string) => {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
};
const pod = (more: object) =>
  JSON.stringify({
    acVersion: '0.8.11',
    acKind: 'PodManifest',
    apps: [{ name: 'a', image: { id: `sha512-${'a'.repeat(64)}` }, ...more }],
  });

function problemOf(act: () => unknown): string {
  try {
    act();
    return 'none';
  } catch (error) {
    return messageOf(error);
  }
}

describe('a request to run', () => {
  it('has defaults for all that is not asked for', () => {
    expect(request('img')).toEqual({
      pod: {
        kind: 'apps',
        apps: [{ image: 'img', args: [], environment: [], readOnlyRootfs: false }],
        environment: { inherited: [], file: [], set: [] },
      },
      stage1: { kind: 'default' },
      roots: 'overlay',
      net: 'default',
      interactive: false,
      hostname: undefined,
      uuidFile: undefined,
      pullPolicy: 'new',
      authFiles: [],
    });
  });

  it('takes booleans as Go does, and the last of several values', () => {
    expect(request('img', '--no-overlay=F', '--hostname=a', '--hostname=b')).toMatchObject({
      roots: 'overlay',
      hostname: 'b',
    });
    expect(request('img', '--no-overlay')).toMatchObject({ roots: 'copy' });
  });

  it.each([
    [['--net'], 'default'],
    [['--net=none'], 'none'],
    [['--net='], 'default'],
    [['--net=host'], 'host'],
    [['--net=a', '--net=b:IP=10.0.0.1'], 'a,b:IP=10.0.0.1'],
  ])('of %j takes the networks', (flags, net) => {
    expect(request(...flags, 'img')).toMatchObject({ net });
  });

  it('says how images are come by, and which signature each has', () => {
    const flags = ['--no-store', '--auth-file=x', '--auth-file', 'y'];
    expect(request(...flags, 'a', '--signature=a.asc', 'b')).toMatchObject({
      pod: { apps: [{ image: 'a', signature: 'a.asc' }, { image: 'b' }] },
      pullPolicy: 'update',
      authFiles: ['x', 'y'],
    });
  });

  it.each([
    [[], 'must provide at least one image or specify the pod manifest'],
    [['a', 'b', '--interactive'], 'interactive option only supports one image'],
    [['a', '--net=host', '--net=b'], '--net=host,b: host stands alone'],
    [['a', '--net=../b'], '--net=../b: "../b" is no name of a network'],
    [['a', '--stage1-path=x', '--stage1-path=y'], '--stage1-path already used'],
    [
      ['a', '--stage1-path=x', '--stage1-hash=y'],
      'flags --stage1-path and --stage1-hash are mutually exclusive',
    ],
    [['a', '--hostname=not_a_host!'], '--hostname: "not_a_host!" is no name of a host'],
    [['a', `--hostname=${'a'.repeat(65)}`], 'is no name of a host'],
    [['a', '--hostname='], 'is no name of a host'],
    [['a', '--store-only', '--no-store'], 'both --store-only and --no-store specified'],
    [['a', '--signature=x', '--signature=y'], '--signature specified multiple times for the same image'],
    [['a', '--set-env=1=2'], '--set-env: "1" is not a name of an environment variable'],
    [['a', '--set-env-file=/no/such/file'], 'unable to read /no/such/file'],
  ])('is refused for %j', (args, message) => {
    expect(() => request(...args)).toThrow(message);
  });

  it('takes a manifest instead of images, and nothing beside it', () => {
    const path = file('pod.json', pod({}));
    expect(request(`--pod-manifest=${path}`)).toMatchObject({ pod: { kind: 'manifest' } });
    for (const more of [
      ['img'],
      ['--inherit-env'],
      ['--set-env=A=1'],
      ['--pull-policy=new'],
      ['--store-only'],
    ])
      expect(() => request(`--pod-manifest=${path}`, ...more)).toThrow(
        'conflicting flags set with --pod-manifest',
      );
  });

  it('names the file of a manifest that is none', () => {
    const broken = file('broken.json', '{');
    expect(problemOf(() => request(`--pod-manifest=${broken}`))).toContain(
      `--pod-manifest=${broken}: not JSON`,
    );
  });
});
