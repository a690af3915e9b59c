import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { RunningCommand } from '../support/command.ts';
import { FLAVOURS } from '../support/flavours.ts';
import { tinyImages } from '../support/images.ts';
import { eventually } from '../support/polling.ts';
import { savedUuid, useRkt } from '../support/rkt.ts';

describe.each(FLAVOURS)('stop with $name', ({ image: stage1 }) => {
  const rkt = useRkt(stage1);
  let image = '';
  beforeAll(async () => {
    image = (await tinyImages()).aci.plain;
  });

  const LOOP = 'echo ready; while :; do sleep 0.1; done';
  const OBEDIENT = `trap 'echo stopping; exit 4' TERM; ${LOOP}`;
  const DEAF = `trap '' TERM; ${LOOP}`;

  interface StartedPod {
    readonly command: RunningCommand;
    readonly uuid: string;
    readonly file: string;
  }

  let count = 0;
  async function startPod(script: string): Promise<StartedPod> {
    const file = rkt.path(`uuid-${++count}`);
    const app = [image, '--name=app', '--exec=/bin/sh', '--', '-c', script];
    const command = rkt.start(['run', '--net=none', `--uuid-file-save=${file}`, ...app]);
    const uuid = await eventually('the pod has a UUID', () => savedUuid(file));
    return { command, uuid, file };
  }

  async function readyPod(script: string): Promise<StartedPod> {
    const pod = await startPod(script);
    await eventually('the app is up', () => {
      if (pod.command.ended) throw new Error(`rkt run ended: ${pod.command.stderr}`);
      return pod.command.stdout.includes('ready');
    });
    return pod;
  }

  test('lets the apps end in order, and is done when the pod is', async () => {
    const { command, uuid } = await readyPod(OBEDIENT);
    expect(await rkt.output(['stop', uuid.slice(0, 8)])).toBe(`"${uuid}"\n`);
    expect(await rkt.list()).toMatchObject([{ name: uuid, state: 'exited', apps: [{ exit_code: 4 }] }]);
    expect(await command.finished).toMatchObject({ code: 4, stdout: 'ready\nstopping\n' });
    expect(await rkt.run(['stop', uuid])).toMatchObject({
      code: 0,
      stdout: `pod "${uuid}" is already stopped\n`,
      stderr: '',
    });
  });

  test('however often it is asked, gives apps their grace period before they are killed', async () => {
    const { command, uuid } = await readyPod(DEAF);
    const stops = [
      ['stop', uuid, uuid],
      ['stop', uuid],
    ].map((words) => rkt.output(words));
    expect(await Promise.all(stops)).toEqual([`"${uuid}"\n"${uuid}"\n`, `"${uuid}"\n`]);
    expect((await command.finished).code).toBe(137);
    // Killed inside, with an exit code of its own: the machine was not.
    expect(await rkt.output(['status', uuid])).toMatch(/^app-app=137$/m);
  });

  test('--force ends the pod at once, also one that is being stopped in order', async () => {
    const { command, uuid } = await readyPod(DEAF);
    const orderly = rkt.run(['stop', uuid]);
    expect(await rkt.output(['stop', '--force', uuid])).toBe(`"${uuid}"\n`);
    expect((await command.finished).code).toBe(137);
    expect(await rkt.output(['status', uuid])).not.toMatch(/^app-app=/m);
    expect((await orderly).code).toBe(0);
  });

  test('ends a pod whose supervisor has only just begun', async () => {
    const { command, uuid } = await startPod(OBEDIENT);
    await eventually('the pod is started', () => existsSync(join(rkt.dir, 'pods/run', uuid)));
    expect(await rkt.output(['stop', uuid])).toBe(`"${uuid}"\n`);
    expect([4, 143]).toContain((await command.finished).code);
  });

  test('takes several pods, says what became of each in their order, and fails for one that it cannot stop', async () => {
    const [one, two] = await Promise.all([readyPod(OBEDIENT), readyPod(OBEDIENT)]);
    const prepared = (await rkt.output(['prepare', image])).trimEnd();
    const { code, stdout, stderr } = await rkt.run(['stop', one.uuid, prepared, 'ffff-none', two.uuid]);
    expect({ code, stdout }).toEqual({ code: 254, stdout: `"${one.uuid}"\n"${two.uuid}"\n` });
    expect(stderr).toBe(
      `stop: pod "${prepared}" isn't currently running\n` +
        'stop: no matches found for "ffff-none"\nstop: failed to stop one or more pods\n',
    );
    for (const { command } of [one, two]) expect((await command.finished).code).toBe(4);
  });

  test('--uuid-file names the pod', async () => {
    const { command, uuid, file } = await readyPod(OBEDIENT);
    expect(await rkt.output(['stop', `--uuid-file=${file}`])).toBe(`"${uuid}"\n`);
    expect((await command.finished).code).toBe(4);
    const missing = await rkt.run(['stop', `--uuid-file=${file}.none`]);
    expect(missing.code).toBe(254);
    expect(missing.stderr).toContain(`stop: unable to read the UUID from ${file}.none`);
  });
});
