import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { detachedPod } from '../support/detached-pod.ts';
import { FLAVOURS } from '../support/flavours.ts';
import { tinyImages } from '../support/images.ts';
import { writeServiceImage } from '../support/notify-image.ts';
import { eventually } from '../support/polling.ts';
import { savedUuid, useRkt } from '../support/rkt.ts';

const rkt = useRkt();
let image = '';
beforeAll(async () => {
  image = (await tinyImages()).aci.plain;
});

const UNTIL_TOLD = 'trap "exit 4" TERM; echo out; echo err >&2; while :; do sleep 0.1; done';
const shell = (script: string) => [image, '--exec=/bin/sh', '--', '-c', script];

async function end(uuid: string): Promise<void> {
  expect(await rkt.output(['stop', uuid])).toBe(`"${uuid}"\n`);
}

const stateOf = async (uuid: string) => (await rkt.list()).find(({ name }) => name === uuid)?.state;

describe.each(FLAVOURS)('--detach with $name', (flavour) => {
  const stage1 = `--stage1-path=${flavour.image}`;

  test('prints the UUID of a pod that is ready, and leaves a supervisor that is nobody’s child', async () => {
    const uuid = await detachedPod(rkt, [stage1, ...shell(UNTIL_TOLD)]);
    expect(uuid).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    const directory = join(rkt.dir, 'pods/run', uuid);
    expect(await rkt.output(['status', '--wait-ready=1ns', uuid])).toMatch(/^state=running$/m);
    const pid = readFileSync(join(directory, 'pid'), 'utf8').trim();
    // pid (comm) state ppid pgrp session: in a session of its own there is no terminal whose end could end it.
    const [, , , session] = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    expect(session).toBe(pid);
    expect(rkt.scope.processes().filter(({ name }) => name === 'node')).toEqual([]);
    const kept = async (stream: string) => await rkt.output(['logs', `--stream=${stream}`, uuid]);
    await eventually(
      'its output is kept',
      async () => (await kept('stdout')) === 'out\n' && (await kept('stderr')) === 'err\n',
    );
    await end(uuid);
    // What apps have written is not among what the supervisor has said.
    expect(readFileSync(join(directory, 'supervisor.log'), 'utf8')).not.toContain('err\n');
    expect(statSync(join(directory, 'supervisor.log')).mode & 0o777).toBe(0o640);
  });

  test('works without standard input, and outlives the shell that is hung up on', async () => {
    const script = '"$@" <&-; kill -HUP 0';
    const run = rkt.argv(['run', '--net=none', '--detach', stage1, ...shell(UNTIL_TOLD)]);
    const command = rkt.startArgv(['/bin/sh', '-c', script, 'sh', ...run]);
    expect((await command.finished).code).toBe(129);
    const uuid = command.stdout.trimEnd();
    expect(await stateOf(uuid)).toBe('running');
    await end(uuid);
  });

  test('tells why a pod ends before it is ready, with its exit code', async () => {
    const failed = await rkt.run(['run', '--net=none', '--detach', stage1, image, '--exec=/no/such']);
    expect(failed).toMatchObject({ code: 203, stdout: '' });
    expect(failed.stderr).toContain('run: app tiny: /no/such: no such file in the image\n');
  });

  test('a pod that is ready for a moment only was ready', async () => {
    const uuid = await detachedPod(rkt, [stage1, ...shell('exit 3')]);
    const code = await rkt.output(['wait', uuid]);
    const said = readFileSync(join(rkt.dir, 'pods/run', uuid, 'supervisor.log'), 'utf8');
    expect(code, said).toBe('3\n');
  });

  test('interrupted before the pod is ready, ends it', async () => {
    // Its app never says that it is ready.
    const never = rkt.path('never.aci');
    await writeServiceImage(never, { name: 'example.com/never', script: UNTIL_TOLD, notifies: true });
    const file = rkt.path(`interrupted-${flavour.name}`);
    const flags = ['--net=none', '--detach', `--uuid-file-save=${file}`, stage1];
    const command = rkt.start(['run', ...flags, never]);
    const uuid = await eventually('the pod has a UUID', () => savedUuid(file));
    await eventually('it is started', () => existsSync(join(rkt.dir, 'pods/run', uuid, 'supervisor.log')));
    command.signal('SIGINT');
    const { code, stdout, stderr } = await command.finished;
    expect({ code, stdout }).toEqual({ code: 254, stdout: '' });
    expect(stderr).toContain('run: interrupted by SIGINT\n');
    expect(await stateOf(uuid)).toBe('exited');
  });

  test('run-prepared --detach does the same', async () => {
    const uuid = (await rkt.output(['prepare', stage1, ...shell(UNTIL_TOLD)])).trimEnd();
    expect(await rkt.output(['run-prepared', '--net=none', '--detach', uuid])).toBe(`${uuid}\n`);
    expect(await stateOf(uuid)).toBe('running');
    await end(uuid);
  });
});

test('--detach and --interactive exclude each other', async () => {
  expect(await rkt.run(['run', '--net=none', '--detach', '--interactive', image])).toMatchObject({
    code: 254,
    stderr: 'run: --interactive and --detach exclude each other\n',
  });
});
