import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { artefacts } from '../../tools/paths.ts';
import { tinyImages } from '../support/images.ts';
import { podDirectories } from '../support/leaks.ts';
import { useRkt } from '../support/rkt.ts';

// Whatever is in the place of a file that a command is to read, it says so and ends; nothing is waited for, nor fills the memory.

const rkt = useRkt();
const STAGE1 = `--stage1-path=${artefacts.stage1Ns}`;
let image = '';

/** Larger than any file that is read whole. */
const HUGE_BYTES = 40 * 1024 * 1024;
const FILES: Readonly<Record<string, (path: string) => void>> = {
  fifo: (path) => void execFileSync('mkfifo', [path]),
  device: (path) => symlinkSync('/dev/zero', path),
  directory: (path) => void mkdirSync(path),
  round: (path) => symlinkSync(path, path),
  huge: (path) => writeFileSync(path, Buffer.alloc(HUGE_BYTES, '[')),
  cut: (path) => writeFileSync(path, '{"acKind": "Pod'),
  latin: (path) => writeFileSync(path, Buffer.from('{"auths": "\u00fc"}', 'latin1')),
};

beforeAll(async () => {
  image = (await tinyImages()).aci.plain;
  for (const [name, make] of Object.entries(FILES)) make(rkt.path(name));
});

const READERS: readonly [what: string, args: (path: string) => readonly string[]][] = [
  ['--seccomp', (path) => ['run', '--net=none', STAGE1, image, `--seccomp=profile=${path}`]],
  ['--pod-manifest', (path) => ['run', '--net=none', STAGE1, `--pod-manifest=${path}`]],
  ['--set-env-file', (path) => ['run', '--net=none', STAGE1, `--set-env-file=${path}`, image]],
  ['--auth-file', (path) => ['run', '--net=none', STAGE1, `--auth-file=${path}`, image]],
  ['--stage1-path', (path) => ['run', '--net=none', `--stage1-path=${path}`, image]],
  ['an image', (path) => ['fetch', path]],
  ['a layout', (path) => ['fetch', `oci:${path}`]],
  ['an archive', (path) => ['fetch', `oci-archive:${path}`]],
  ['a key', (path) => ['trust', '--root', '--skip-fingerprint-review', path]],
];

async function refused(args: readonly string[], path: string): Promise<string> {
  const { code, stdout, stderr } = await rkt.run(args, { timeoutSeconds: 60 });
  expect({ code, stdout }).toEqual({ code: 254, stdout: '' });
  expect(stderr).toContain(path);
  expect(stderr).not.toContain('    at ');
  expect(stderr.split('\n')).toHaveLength(2);
  return stderr;
}

describe.each(Object.keys(FILES))('%s', (name) => {
  test.each(READERS)('as %s', async (_, args) => {
    await refused(args(rkt.path(name)), rkt.path(name));
    expect(podDirectories(rkt.dir)).toEqual([]);
  });

  test('as --uuid-file', async () => {
    // What is in a file is no UUID of a pod.
    const isRead = name === 'cut';
    await refused(['status', `--uuid-file=${rkt.path(name)}`], isRead ? '{' : rkt.path(name));
  });
});

test('an empty --uuid-file is told by its name', async () => {
  writeFileSync(rkt.path('empty'), '\n');
  expect(await refused(['status', `--uuid-file=${rkt.path('empty')}`], rkt.path('empty'))).toContain(
    'no UUID',
  );
});

test('a fifo that nobody reads is not written to: there is no pod whose UUID nobody knows', async () => {
  const args = ['run', '--net=none', STAGE1, `--uuid-file-save=${rkt.path('fifo')}`, image];
  expect(await refused(args, rkt.path('fifo'))).toContain('ENXIO');
  expect(podDirectories(rkt.dir)).toEqual([]);
});

test('a pipe of the command itself is read: of a shell’s <(...), or standard input', async () => {
  const id = (await rkt.output(['fetch', '--full', image])).trim();
  const app = { exec: ['/bin/sh', '-c', 'echo from a pipe'], user: '0', group: '0' };
  const apps = [{ name: 'a', image: { id }, app }];
  const manifest = JSON.stringify({ acKind: 'PodManifest', acVersion: '0.8.11', apps });
  const shell = async (script: string, ...args: readonly string[]) => {
    const argv = ['bash', '-c', script, 'bash', ...rkt.argv(['run', '--net=none', STAGE1, ...args])];
    return (await rkt.startArgv(argv, { env: { MANIFEST: manifest, IMAGE: image } }).finished).stdout;
  };
  const slowly = '(sleep 0.3; printf %s "$MANIFEST")';
  expect(await shell(`${slowly} | "$@"`, '--pod-manifest=/dev/stdin')).toBe('from a pipe\n');
  const look = `--exec=/bin/sh -- -c 'echo $A'`;
  expect(await shell(`"$@" --set-env-file=<(sleep 0.3; echo A=b) "$IMAGE" ${look}`)).toBe('b\n');
});

describe('configuration', () => {
  const directory = () => `${rkt.localConfig}/auth.d`;

  test.each(['--dir', '--local-config', '--system-config', '--user-config'])(
    '%s needs a path',
    async (flag) => {
      expect(await rkt.run(['list', `${flag}=`])).toMatchObject({
        code: 254,
        stderr: `list: ${flag}: no path given\n`,
      });
    },
  );

  test('is of regular files, as in rkt; one that is too large or cut is told by its name', async () => {
    mkdirSync(directory());
    const fifo = `${directory()}/fifo.json`;
    execFileSync('mkfifo', [fifo]);
    symlinkSync('/dev/zero', `${directory()}/device.json`);
    mkdirSync(`${directory()}/directory.json`);
    await rkt.output(['list']);
    const file = `${directory()}/file.json`;
    writeFileSync(file, readFileSync(rkt.path('huge')));
    expect(await refused(['list'], file)).toContain('has more than 1048576 bytes');
    writeFileSync(file, '{"rktKind": "au');
    expect(await refused(['list'], file)).toContain('not JSON');
    writeFileSync(file, '');
    expect(await refused(['list'], file)).toContain('not JSON');
    writeFileSync(file, Buffer.from([0x22, 0xff, 0x22]));
    expect(await refused(['list'], file)).toContain('is not text in UTF-8');
    writeFileSync(file, '['.repeat(1_000_000));
    await refused(['list'], file);
    execFileSync('rm', ['-r', directory()]);
  });
});
