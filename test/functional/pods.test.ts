import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { RunningCommand } from '../support/command.ts';
import { tinyImages } from '../support/images.ts';
import { eventually } from '../support/polling.ts';
import { savedUuid, useRkt } from '../support/rkt.ts';

const rkt = useRkt();
let image = '';
beforeAll(async () => {
  image = (await tinyImages()).aci.plain;
});

const UNTIL_TOLD = `trap 'exit 4' TERM; echo ready; while :; do sleep 0.1; done`;

async function startPod(name: string): Promise<{ command: RunningCommand; uuid: string }> {
  const file = rkt.path(`uuid-${name}`);
  rmSync(file, { force: true });
  const app = [image, `--name=${name}`, '--exec=/bin/sh', '--', '-c', UNTIL_TOLD];
  const command = rkt.start(['run', '--net=none', `--uuid-file-save=${file}`, ...app]);
  await eventually('the app is up', () => {
    if (command.ended) throw new Error(`rkt run ended: ${command.stderr}`);
    return command.stdout.includes('ready');
  });
  const uuid = savedUuid(file);
  expect(uuid).toBeDefined();
  return { command, uuid: uuid ?? '' };
}

/** Lines of a table, cells split at the tabs they are padded with. */
function table(text: string): string[][] {
  return text
    .replace(/\n$/, '')
    .split('\n')
    .map((line) => line.split(/\t+/));
}

describe('a pod through its life', () => {
  test('list, status, cat-manifest, rm and gc tell and do what rkt does', async () => {
    expect(await rkt.output(['list'])).toBe('UUID\tAPP\tIMAGE NAME\tSTATE\tCREATED\tSTARTED\tNETWORKS\n');
    expect(await rkt.output(['list', '--no-legend'])).toBe('\n');
    expect(await rkt.output(['list', '--format=json'])).toBe('null\n');

    const { command, uuid } = await startPod('web');
    const [header, row] = table(await rkt.output(['list']));
    expect(header).toEqual(['UUID', 'APP', 'IMAGE NAME', 'STATE', 'CREATED', 'STARTED', 'NETWORKS']);
    expect(row?.slice(0, 4)).toEqual([uuid.slice(0, 8), 'web', 'example.com/tiny:1.0.0', 'running']);
    const [, full] = table(await rkt.output(['list', '--full']));
    expect(full?.[0]).toBe(uuid);
    expect(full?.[3]).toMatch(/^sha512-[0-9a-f]{12}$/);
    expect(full?.[5]).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,3})? [+-]\d{4} \S+$/);

    const status = await rkt.output(['status', uuid.slice(0, 8)]);
    expect(status).toMatch(/^state=running$/m);
    expect(status).toMatch(new RegExp(`^pid=${command.pid}$`, 'm'));
    expect(status).toMatch(/^exited=false$/m);
    expect(JSON.parse(await rkt.output(['status', '--format=json', uuid]))).toMatchObject({
      name: uuid,
      state: 'running',
      app_names: ['web'],
    });
    expect(JSON.parse(await rkt.output(['cat-manifest', uuid]))).toMatchObject({
      acKind: 'PodManifest',
      apps: [{ name: 'web' }],
    });
    expect(await rkt.output(['cat-manifest', '--pretty-print=false', uuid])).toMatch(/^\{.*\}\n$/);
    await rkt.output(['status', '--wait-ready', uuid]);

    const refused = await rkt.run(['rm', uuid]);
    expect(refused.code).toBe(254);
    expect(refused.stderr).toContain(`pod "${uuid}" is currently running`);
    await rkt.output(['gc', '--grace-period=0s']);
    expect(command.ended).toBe(false);

    const waiting = rkt.start(['status', '--wait', uuid]);
    command.signal('SIGTERM');
    expect((await command.finished).code).toBe(4);
    expect((await waiting.finished).stdout).toMatch(/^app-web=4$/m);
    expect(await rkt.output(['status', uuid])).toMatch(/^state=exited$/m);
    expect(await rkt.list()).toMatchObject([
      { name: uuid, state: 'exited', apps: [{ name: 'web', exit_code: 4 }] },
    ]);

    expect(await rkt.output(['rm', uuid])).toBe(`"${uuid}"\n`);
    expect(await rkt.list()).toEqual([]);
  });

  test('gc keeps an exited pod for its grace period, then removes it', async () => {
    const { command, uuid } = await startPod('old');
    command.signal('SIGTERM');
    await command.finished;
    const kept = await rkt.run(['gc']);
    expect(kept.code).toBe(0);
    expect(kept.stderr).toContain(`moving pod "${uuid}" to garbage`);
    expect(kept.stderr).toContain(`pod "${uuid}" not removed: still within grace period (30m0s)`);
    expect(await rkt.list()).toMatchObject([{ name: uuid, state: 'exited garbage' }]);
    const removed = await rkt.run(['gc', '--grace-period=0s']);
    expect(removed).toMatchObject({ code: 0, stdout: `Garbage collecting pod "${uuid}"\n` });
    expect(await rkt.list()).toEqual([]);
  });

  test('gc --mark-only marks what has exited and what was not prepared, and removes nothing', async () => {
    const prepared = (await rkt.output(['prepare', image, '--name=later'])).trim();
    const running = await startPod('running');
    const exited = await startPod('exited');
    exited.command.signal('SIGTERM');
    await exited.command.finished;
    const cut = '00000000-0000-4000-8000-000000000001';
    mkdirSync(join(rkt.dir, 'pods/prepare', cut));
    const states = async () => Object.fromEntries((await rkt.list()).map(({ name, state }) => [name, state]));
    const untouched = { [prepared]: 'prepared', [running.uuid]: 'running' };
    expect(await states()).toEqual({ ...untouched, [exited.uuid]: 'exited', [cut]: 'aborted prepare' });

    const marking = ['gc', '--mark-only', '--grace-period=0s', '--expire-prepared=0s'];
    const { code, stdout, stderr } = await rkt.run(marking);
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    const moved = (uuid: string) => `gc: moving pod "${uuid}" to garbage\n`;
    expect(stderr).toBe(`${moved(exited.uuid)}${moved(cut)}`);
    const marked = { ...untouched, [exited.uuid]: 'exited garbage', [cut]: 'garbage' };
    expect(await states()).toEqual(marked);
    // Again: there is nothing to mark, and still nothing is removed.
    expect(await rkt.run(marking)).toMatchObject({ code: 0, stdout: '', stderr: '' });
    expect(await states()).toEqual(marked);

    expect(await rkt.output(['gc', '--grace-period=0s'])).toContain(
      `Garbage collecting pod "${exited.uuid}"`,
    );
    expect(await states()).toEqual(untouched);
    running.command.signal('SIGTERM');
    await running.command.finished;
    await rkt.output(['rm', prepared, running.uuid]);
  });

  test('pods of one data directory do not meet; --uuid-file names them', async () => {
    const [one, two] = await Promise.all([startPod('one'), startPod('two')]);
    expect((await rkt.list()).map((pod) => pod.state)).toEqual(['running', 'running']);
    one.command.signal('SIGTERM');
    expect((await one.command.finished).code).toBe(4);
    expect(two.command.ended).toBe(false);
    expect(await rkt.output(['rm', `--uuid-file=${rkt.path('uuid-one')}`])).toBe(`"${one.uuid}"\n`);
    expect((await rkt.list()).map((pod) => pod.name)).toEqual([two.uuid]);
    two.command.signal('SIGTERM');
    await two.command.finished;
    expect(existsSync(rkt.path('uuid-two'))).toBe(true);
  });
});

test('version', async () => {
  const text = await rkt.output(['version']);
  expect(text).toMatch(/^rkt Version: 2\.\d+\.\d+/m);
  expect(text).toMatch(/^appc Version: 0\.8\.11$/m);
});
