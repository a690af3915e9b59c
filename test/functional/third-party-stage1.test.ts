import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { rootDir } from '../../tools/paths.ts';
import type { RunningCommand } from '../support/command.ts';
import { aciOf } from '../support/image-files.ts';
import { tinyImages } from '../support/images.ts';
import { eventually } from '../support/polling.ts';
import { savedUuid, useRkt } from '../support/rkt.ts';
import * as tar from '../support/tar-archive.ts';

const rkt = useRkt();
const NAME = 'example.com/stage1-shell';
const ENTRYPOINTS = ['run', 'enter', 'stop', 'gc'];
const LOOP = 'echo ready; while :; do sleep 0.1; done';
let image = '';
let stage1 = '';
let calls = '';
beforeAll(async () => {
  image = (await tinyImages()).aci.plain;
  stage1 = rkt.path('shell.aci');
  calls = rkt.path('calls');
  writeFileSync(stage1, shellImage());
});
beforeEach(() => rmSync(calls, { force: true }));

/** By rkt's interface and nothing of ours; its version is not said where it is the first. */
function shellImage(version = '6', image = NAME): Buffer {
  const annotations = ENTRYPOINTS.map((name) => ({
    name: `coreos.com/rkt/stage1/${name}`,
    value: `/${name}`,
  }));
  const said = { name: 'coreos.com/rkt/stage1/interface-version', value: version };
  const programs = ENTRYPOINTS.map((name) =>
    tar.file(`rootfs/${name}`, readFileSync(join(rootDir, 'test/support/shell-stage1', name)), {
      mode: 0o755,
    }),
  );
  const versions = version === '1' ? [] : [said];
  const manifest = { name: image, app: undefined, annotations: [...annotations, ...versions] };
  return aciOf(manifest, ...programs);
}

const options = (env: Readonly<Record<string, string>> = {}) => ({ env: { RKT_TEST_CALLS: calls, ...env } });
const words = (script: string) => [
  `--stage1-path=${stage1}`,
  image,
  '--name=app',
  '--exec=/bin/sh',
  '--',
  '-c',
  script,
];
const called = () => readFileSync(calls, 'utf8').trimEnd().split('\n');

interface StartedPod {
  readonly command: RunningCommand;
  readonly uuid: string;
}

let count = 0;
async function start(script: string, env?: Readonly<Record<string, string>>): Promise<StartedPod> {
  const file = rkt.path(`uuid-${++count}`);
  const command = rkt.start(
    ['run', '--net=none', `--uuid-file-save=${file}`, ...words(script)],
    options(env),
  );
  await eventually('the app is up', () => {
    if (command.ended) throw new Error(`rkt run ended: ${command.stderr}`);
    return command.stdout.includes('ready');
  });
  return { command, uuid: savedUuid(file) ?? '' };
}

describe('a stage1 in shell', () => {
  test('runs the app in its root, and its exit code is rkt’s; list and status tell of it', async () => {
    const file = rkt.path('first');
    const run = ['run', '--net=none', '--hostname=box', '--debug', `--uuid-file-save=${file}`];
    const script = 'echo from $AC_APP_NAME in $(pwd), $(ls -d /home/alice); exit 7';
    const { code, stdout } = await rkt.run([...run, ...words(script)], options());
    expect({ code, stdout }).toEqual({ code: 7, stdout: 'from app in /, /home/alice\n' });
    const uuid = readFileSync(file, 'utf8').trim();
    const [pod] = (await rkt.list()).filter(({ name }) => name === uuid);
    expect(pod).toMatchObject({ state: 'exited', apps: [{ name: 'app', state: 'exited', exit_code: 7 }] });
    expect(await rkt.output(['status', uuid])).toMatch(/^state=exited$[\s\S]*^app-app=7$/m);
    expect(called()).toEqual([
      `run --debug --net=none --local-config=${rkt.localConfig} --hostname=box ${uuid}`,
    ]);
    await rkt.output(['rm', uuid], options());
    expect(called().at(-1)).toBe(`gc --local-config=${rkt.localConfig} ${uuid}`);
  });

  test('finds volumes in the manifest, and their sources in the pod’s mount namespace', async () => {
    const source = rkt.path('volume');
    mkdirSync(source);
    const flags = [`--volume=v,kind=host,source=${source}`, '--volume=e,kind=empty,mode=0700'];
    const uuid = (
      await rkt.output(['prepare', ...flags, ...words('true').toSpliced(2, 0, '--mount=volume=v,target=/v')])
    ).trim();
    const { volumes, apps } = JSON.parse(await rkt.output(['cat-manifest', uuid]));
    expect(volumes).toEqual([
      { name: 'v', kind: 'host', source },
      { name: 'e', kind: 'empty', mode: '0700', uid: 0, gid: 0 },
    ]);
    expect(apps[0].mounts).toEqual([{ volume: 'v', path: '/v' }]);
    const [{ mounts }] = JSON.parse(await rkt.output(['inspect', uuid]));
    expect(mounts.keep).toContain(source);
    await rkt.output(['rm', uuid], options());
  });

  test('is told by stop; the app ends in order, and the pod with it', async () => {
    const { command, uuid } = await start(`trap 'echo stopping; exit 4' TERM; ${LOOP}`);
    expect((await rkt.list()).find(({ name }) => name === uuid)).toMatchObject({
      state: 'running',
      apps: [{ name: 'app', state: 'running' }],
    });
    expect(await rkt.output(['status', '--wait-ready', uuid])).toContain(`pid=${command.pid}\n`);
    expect(await rkt.output(['stop', uuid], options())).toBe(`"${uuid}"\n`);
    expect(await command.finished).toMatchObject({ code: 4, stdout: 'ready\nstopping\n' });
    expect(called().at(-1)).toBe(`stop ${uuid}`);
  });

  test('is told by stop --force; what ends the app is the exit code', async () => {
    const { command, uuid } = await start(`trap '' TERM; ${LOOP}`);
    await rkt.output(['stop', '--force', uuid], options());
    expect((await command.finished).code).toBe(137);
    expect(called().at(-1)).toBe(`stop --force ${uuid}`);
  });

  test.each(['pid', 'ppid'])(
    'enters a running app by the process that it has written as `%s`',
    async (file) => {
      const { command, uuid } = await start(`echo mine > /mark; ${LOOP}`, { RKT_TEST_PID_FILE: file });
      const inside = ['/bin/sh', '-c', 'cat /mark; exit 9'];
      expect(await rkt.run(['enter', uuid, ...inside], options())).toMatchObject({
        code: 9,
        stdout: 'mine\n',
      });
      expect(called().at(-1)).toBe(`enter --pid=${command.pid} --appname=app -- ${inside.join(' ')}`);
      command.signal('SIGTERM');
      expect((await command.finished).code).toBe(143);
    },
  );

  test('that is killed leaves a pod that gc removes', async () => {
    const { command, uuid } = await start('echo ready; exec sleep 1000 > /dev/null 2>&1');
    const app = await eventually('the app has become what it is to be', () =>
      rkt.scope.processes().find(({ argv }) => argv.includes('1000')),
    );
    process.kill(command.pid, 'SIGKILL');
    process.kill(app.pid, 'SIGKILL');
    await command.finished;
    await rkt.output(['gc', '--grace-period=0s'], options());
    expect(called()).toContain(`gc --local-config=${rkt.localConfig} ${uuid}`);
    expect((await rkt.list()).map(({ name }) => name)).not.toContain(uuid);
  });

  test.each(['gc', 'rm'])(
    'has its gc ended by who tells rkt %s to end, and is called again',
    async (name) => {
      const file = rkt.path(`kept-${name}`);
      await rkt.output(['run', '--net=none', `--uuid-file-save=${file}`, ...words('true')], options());
      const uuid = savedUuid(file) ?? '';
      const args = name === 'gc' ? ['gc', '--grace-period=0s'] : ['rm', uuid];
      const command = rkt.start(args, options({ RKT_TEST_GC_WAITS: 'yes' }));
      await eventually('gc runs', () => called().at(-1) === 'gc waits');
      command.signal('SIGTERM');
      const { code, stderr } = await command.finished;
      expect([code, called().at(-1)]).toEqual([143, 'gc ended']);
      expect(stderr).not.toContain('failed');
      expect((await rkt.list()).map((pod) => pod.name)).toContain(uuid);
      await rkt.output(args, options());
      expect((await rkt.list()).map((pod) => pod.name)).not.toContain(uuid);
    },
  );

  test('is had by its name and its hash as well, once it was given', async () => {
    const id = (await rkt.output(['fetch', '--full', stage1])).trim();
    for (const flag of [`--stage1-name=${NAME}`, `--stage1-hash=${id}`]) {
      rmSync(calls, { force: true });
      const { code, stdout } = await rkt.run(['run', '--net=none', flag, image], options());
      expect({ flag, code, stdout }).toEqual({ flag, code: 0, stdout: 'hello from the image\n' });
      expect(called()[0]).toMatch(/^run --net=none /);
    }
  });

  test('has no other entrypoints: what needs one of those is refused, with a reason', async () => {
    const { command, uuid } = await start(`trap 'exit 0' TERM; ${LOOP}`);
    const refusal = (finished: { readonly code: number; readonly stderr: string }) => ({
      code: finished.code,
      stderr: finished.stderr,
    });
    expect(refusal(await rkt.run(['pause', uuid]))).toEqual({
      code: 254,
      stderr: expect.stringMatching(/the pod's stage1 has no control entrypoint/),
    });
    expect(refusal(await rkt.run(['attach', uuid]))).toEqual({
      code: 254,
      stderr: expect.stringMatching(/stage1 has no attach entrypoint/),
    });
    command.signal('SIGTERM');
    await command.finished;
    expect(refusal(await rkt.run(['run', '--net=none', '--rm', ...words('exit 0')], options()))).toEqual({
      code: 254,
      stderr: expect.stringMatching(/--rm: example\.com\/stage1-shell does not remove pods/),
    });
  });

  test('of an older interface runs as well, and is told no more than it knows', async () => {
    const old = rkt.path('old.aci');
    const file = rkt.path('old-pod');
    writeFileSync(old, shellImage('1', 'example.com/stage1-old'));
    const run = (...flags: string[]) =>
      rkt.run(['run', '--net=none', `--stage1-path=${old}`, ...flags, image], options());
    expect(await run(`--uuid-file-save=${file}`)).toMatchObject({
      code: 0,
      stdout: 'hello from the image\n',
    });
    const uuid = readFileSync(file, 'utf8').trim();
    await rkt.output(['rm', uuid], options());
    expect(called()).toEqual([`run --net=none --local-config=${rkt.localConfig} ${uuid}`, `gc ${uuid}`]);
    expect(await run('--hostname=box')).toMatchObject({
      code: 254,
      stderr: 'run: example.com/stage1-old is of stage1 interface version 1, which has no --hostname=box\n',
    });
    const young = rkt.path('young.aci');
    writeFileSync(young, shellImage('7', 'example.com/stage1-young'));
    const refused = await rkt.run(['run', '--net=none', `--stage1-path=${young}`, image], options());
    expect(refused).toMatchObject({
      code: 254,
      stderr: 'run: example.com/stage1-young is of stage1 interface version 7: 1 to 6 are known\n',
    });
  });

  test('knows volumes of the kinds that rkt had, and is not given a pod with others', async () => {
    const refusal = async (kind: string, part = '') => {
      const flags = [`--volume=v,kind=${kind}`, image, `--mount=volume=v,target=/v${part}`];
      return (await rkt.run(['run', '--net=none', `--stage1-path=${stage1}`, ...flags], options())).stderr;
    };
    const why = '(its manifest has no coreos.com/rkt/stage1/volumes)';
    for (const kind of ['named', 'tmpfs', 'block', 'secret'])
      expect(await refusal(`${kind}${['block', 'secret'].includes(kind) ? `,source=${image}` : ''}`)).toBe(
        `run: volume v: ${NAME} knows no volumes of kind ${kind} ${why}\n`,
      );
    expect(await refusal('empty,size=1Mi')).toContain(`${NAME} knows no volumes with a size`);
    expect(await refusal('empty', ',subPath=a')).toBe(`run: volume v: ${NAME} knows no subPath ${why}\n`);
  });
});
