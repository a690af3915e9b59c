import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { FLAVOURS } from '../support/flavours.ts';
import { tinyImages } from '../support/images.ts';
import { LOOK, parseLook } from '../support/pod-look.ts';
import { eventually } from '../support/polling.ts';
import { useRkt } from '../support/rkt.ts';
import { CTRL_C, TerminalCommand } from '../support/terminal.ts';

const rkt = useRkt();
let image = '';
beforeAll(async () => {
  image = (await tinyImages()).aci.plain;
});

const preparedPath = (uuid: string) => join(rkt.dir, 'pods/prepared', uuid);

/** Prepares a pod whose command prints its UUID, and nothing else. */
async function prepare(args: readonly string[], env = {}): Promise<string> {
  const stdout = await rkt.output(['prepare', ...args], { env });
  expect(stdout).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\n$/);
  return stdout.trimEnd();
}

const prepareScript = (script: string) => prepare([image, '--exec=/bin/sh', '--', '-c', script]);
const stateOf = async (uuid: string) => (await rkt.list()).find(({ name }) => name === uuid)?.state;

describe('prepare', () => {
  test('leaves a pod that list and status know, until it is run, removed or expired', async () => {
    const uuid = await prepare([image, '--name=web']);
    expect(await rkt.list()).toMatchObject([
      { name: uuid, state: 'prepared', apps: [{ name: 'web', state: 'created' }] },
    ]);
    const status = await rkt.output(['status', uuid]);
    expect(status).toMatch(/^state=prepared\ncreated=.*\n$/);
    expect(JSON.parse(await rkt.output(['cat-manifest', uuid]))).toMatchObject({ apps: [{ name: 'web' }] });
    await rkt.output(['gc', '--grace-period=0s']);
    expect(await stateOf(uuid)).toBe('prepared');
    expect(await rkt.output(['rm', uuid])).toBe(`"${uuid}"\n`);
    const expired = await prepare([image]);
    await rkt.output(['gc', '--expire-prepared=0s']);
    expect(await stateOf(expired)).toBeUndefined();
  });

  test('takes every flag of content, and run-prepared every flag of the start: all are seen from inside', async () => {
    const envFile = rkt.path('env');
    writeFileSync(envFile, 'FILE=file\nSET=file\nAPP=file\n');
    const podFlags = [
      '--inherit-env',
      '--set-env=SET=flag',
      '--set-env=APP=flag',
      `--set-env-file=${envFile}`,
    ];
    const appFlags = [
      ...['--name=web', '--user=alice', '--group=crew', '--supplementary-gids=3000,3001'],
      ...[
        '--working-dir=/etc',
        '--readonly-rootfs=true',
        '--environment=APP=app',
        '--memory=700M',
        '--cpu=2',
      ],
    ];
    const command = ['--exec=/bin/sh', '--', '-c', LOOK, 'sh', 'one', 'two words'];
    const caller = { FROM: 'caller', CALLER_ONLY: 'caller' };
    const uuid = await prepare([...podFlags, image, ...appFlags, ...command], caller);
    const env = { CALLER_ONLY: 'who runs it' };
    const run = ['run-prepared', '--net=none', '--hostname=box', uuid.slice(0, 8)];
    const seen = parseLook(await rkt.output(run, { env }));
    expect(Object.fromEntries(seen)).toMatchObject({
      ...{ pwd: '/etc', hostname: 'box', 'etc-hostname': 'box', uid: '1000', gid: '2000', cpus: '2' },
      ...{ writable: 'no', args: 'one two words', 'env-AC_APP_NAME': 'web', 'env-CALLER_ONLY': 'caller' },
      ...{ 'env-FROM': 'image', 'env-FILE': 'file', 'env-SET': 'flag', 'env-APP': 'app' },
    });
    expect(seen.get('groups')?.split(' ').sort()).toEqual(['2000', '3000', '3001']);
    expect(Number(seen.get('memory'))).toBeGreaterThanOrEqual(700);
    expect(await stateOf(uuid)).toBe('exited');
  });

  test('--no-overlay copies before anything runs; --pod-manifest takes a pod whole', async () => {
    const root = 'stage1/rootfs/opt/stage2/copy/rootfs';
    const copied = await prepare(['--no-overlay', image, '--name=copy']);
    expect(readdirSync(join(preparedPath(copied), root))).toContain('bin');
    writeFileSync(rkt.path('pod.json'), await rkt.output(['cat-manifest', copied]));
    const layered = await prepare([`--pod-manifest=${rkt.path('pod.json')}`]);
    expect(existsSync(join(preparedPath(layered), root))).toBe(false);
    for (const uuid of [copied, layered])
      expect(await rkt.output(['run-prepared', '--net=none', uuid])).toBe('hello from the image\n');
  });

  test('--quiet prints the UUID alone, even with --debug', async () => {
    const told = await rkt.run(['--debug', 'prepare', '--pull-policy=update', image]);
    expect(told.stderr).toContain('image: using image from file');
    const quiet = await rkt.run(['--debug', 'prepare', '--quiet', '--no-store', image]);
    expect(quiet).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(/^[0-9a-f-]{36}\n$/) });
    const loud = await rkt.run(['prepare', '--no-store', image]);
    expect(loud.stderr).toBe('prepare: --no-store is deprecated, use --pull-policy=update\n');
  });

  test.each(FLAVOURS)('with a stage1 of $name, by path and by hash', async (flavour) => {
    const stage1Of = (uuid: string) =>
      readFileSync(join(preparedPath(uuid), 'stage1TreeStoreID'), 'utf8').trim();
    const hash = stage1Of(await prepare([`--stage1-path=${flavour.image}`, image]));
    expect(stage1Of(await prepare([`--stage1-hash=${hash}`, image]))).toBe(hash);
    expect(stage1Of(await prepare([`--stage1-name=${flavour.imageName}`, image]))).toBe(hash);
  });

  test('that fails leaves nothing, and knows no flag of the start', async () => {
    const before = await rkt.list();
    const absent = await rkt.run(['prepare', '--pull-policy=never', 'example.com/absent']);
    expect(absent).toMatchObject({
      code: 254,
      stdout: '',
      stderr: expect.stringMatching(/^prepare: .*absent/),
    });
    for (const flag of ['--net=none', '--interactive', '--hostname=box', '--uuid-file-save=/x'])
      expect(await rkt.run(['prepare', flag, image])).toMatchObject({
        code: 254,
        stderr: `prepare: unknown flag: ${flag.split('=')[0]}\n`,
      });
    expect(await rkt.list()).toEqual(before);
  });
});

describe('run-prepared', () => {
  test('gives the exit code of the pod; a pod runs once', async () => {
    const uuid = await prepareScript('exit 7');
    expect(await rkt.run(['run-prepared', '--net=none', uuid])).toMatchObject({ code: 7 });
    expect(await rkt.run(['run-prepared', '--net=none', uuid])).toMatchObject({
      code: 254,
      stderr: `run-prepared: pod "${uuid}" is not prepared: its state is exited\n`,
    });
  });

  test('of several at once runs the pod for one, and tells the others', async () => {
    const uuid = await prepareScript('trap "exit 0" TERM; echo ran; while :; do sleep 0.1; done');
    const racers = Array.from({ length: 4 }, () => rkt.start(['run-prepared', '--net=none', uuid]));
    // It runs until all of them have tried.
    await eventually(
      'one runs it, and the others have been told',
      () =>
        racers.filter((racer) => racer.ended).length >= 3 &&
        racers.some(({ stdout }) => stdout.includes('ran')),
    );
    await rkt.output(['stop', uuid]);
    const ended = (await Promise.all(racers.map(({ finished }) => finished))).sort((a, b) => a.code - b.code);
    expect(ended.map(({ code, stdout }) => [code, stdout])).toEqual([
      [0, 'ran\n'],
      ...Array.from({ length: 3 }, () => [254, '']),
    ]);
    for (const { stderr } of ended.slice(1))
      expect(stderr).toMatch(
        new RegExp(
          `^run-prepared: pod "${uuid}" is not prepared: (another command has taken it|its state is running)\n$`,
        ),
      );
  });

  test('--interactive gives the terminal to the one app, and refuses several', async () => {
    const uuid = await prepareScript(`trap 'exit 9' INT; tty && echo ready; while :; do sleep 0.1; done`);
    const terminal = new TerminalCommand(
      rkt,
      rkt.argv(['run-prepared', '--net=none', '--interactive', uuid]),
    );
    await terminal.waitFor(/^ready$/m);
    terminal.type(CTRL_C);
    expect((await terminal.finished).code).toBe(9);
    const two = await prepare([image, '--name=a', image, '--name=b']);
    expect(await rkt.run(['run-prepared', '--net=none', '--interactive', two])).toMatchObject({
      code: 254,
      stderr: 'run-prepared: interactive option only supports pods with one app\n',
    });
    expect(await stateOf(two)).toBe('prepared');
  });

  test('refuses what run refuses', async () => {
    const uuid = await prepare([image]);
    const refused = async (...args: string[]) => (await rkt.run(['run-prepared', ...args])).stderr;
    expect(await refused('--net=../x', uuid)).toBe(
      'run-prepared: --net=../x: "../x" is no name of a network\n',
    );
    expect(await refused('--hostname=not_a_host!', uuid)).toMatch(/is no name of a host\n$/);
    expect(await refused()).toBe('run-prepared: no UUID given\n');
    expect(await refused('--net=none', '0000')).toBe('run-prepared: no matches found for "0000"\n');
    expect(await stateOf(uuid)).toBe('prepared');
  });
});
