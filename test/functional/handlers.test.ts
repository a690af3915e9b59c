import { writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { FLAVOURS } from '../support/flavours.ts';
import { tinyImages } from '../support/images.ts';
import { eventually } from '../support/polling.ts';
import { savedUuid, useRkt } from '../support/rkt.ts';

const rkt = useRkt();
let prepared: string;
beforeAll(async () => {
  const { aci } = await tinyImages();
  const words = ['--name=web', '--user=1000', '--group=1000', '--exec=/bin/sh', '--', '-c', 'SCRIPT'];
  const uuid = (await rkt.output(['prepare', aci.plain, ...words])).trim();
  prepared = await rkt.output(['cat-manifest', uuid]);
});

type Handlers = Readonly<Record<string, string>>;

/** A pod manifest whose app is a shell of an ordinary user's; handlers are scripts, too. */
function manifest(script: string, handlers: Handlers, isolators: readonly unknown[] = []): string {
  const pod = JSON.parse(prepared);
  const [{ app }] = pod.apps;
  app.exec = ['/bin/sh', '-c', script];
  app.isolators = [...(app.isolators ?? []), ...isolators];
  app.eventHandlers = Object.entries(handlers).map(([name, text]) => ({
    name,
    exec: ['/bin/sh', '-c', text],
  }));
  const file = rkt.path(`pod-${process.hrtime.bigint()}.json`);
  writeFileSync(file, JSON.stringify(pod));
  return file;
}

describe.each(FLAVOURS)('$name: event handlers', ({ name, image }) => {
  const uuidFile = rkt.path(`${name}.uuid`);
  const run = (script: string, handlers: Handlers, isolators: readonly unknown[] = []) =>
    rkt.run([
      ...['run', `--stage1-path=${image}`, '--net=none', `--uuid-file-save=${uuidFile}`],
      `--pod-manifest=${manifest(script, handlers, isolators)}`,
    ]);

  test('prepare a root for their app, and see what it has left; are root, without what it may not do', async () => {
    const { code, stdout, stderr } = await run('id -u; echo left > /data/file; exit 3', {
      'pre-start': 'id -u; mkdir -m 777 /data; mount -t tmpfs none /mnt || echo not allowed',
      'post-stop': 'id -u; cat /data/file; mount -t tmpfs none /mnt || echo not allowed',
    });
    expect(stdout).toBe('0\nnot allowed\n1000\n0\nleft\nnot allowed\n');
    expect(stderr.match(/^mount: .*/gm)).toHaveLength(2);
    expect(code).toBe(3);
  });

  test('have the limits of their app', async () => {
    const look = 'ulimit -n; ulimit -Hn; cat /proc/self/oom_score_adj';
    const isolators = [
      { name: 'coreos.com/rkt/rlimits', value: { nofile: { soft: 100, hard: 200 } } },
      { name: 'os/linux/oom-score-adj', value: 300 },
    ];
    const handlers = { 'pre-start': look, 'post-stop': look };
    const { code, stdout } = await run('echo app', handlers, isolators);
    expect({ code, stdout }).toEqual({ code: 0, stdout: '100\n200\n300\napp\n100\n200\n300\n' });
  });

  test('a pre-start that fails is the failure of its app, which does not start', async () => {
    const { code, stdout, stderr } = await run('echo no', { 'pre-start': 'exit 7', 'post-stop': 'echo no' });
    const uuid = savedUuid(uuidFile) ?? '';
    expect({ code, stdout }).toEqual({ code: 250, stdout: '' });
    expect(stderr).toContain('app web: event handler pre-start ended with 7');
    expect(await rkt.output(['status', uuid])).toMatch(/^app-web=250$/m);
  });

  test('a pod that is stopped before its apps have come to run has not ended well', async () => {
    const file = manifest('echo no', { 'pre-start': 'echo up; sleep 1000' });
    const flags = [`--stage1-path=${image}`, '--net=none', `--uuid-file-save=${uuidFile}`];
    const command = rkt.start(['run', ...flags, `--pod-manifest=${file}`]);
    await eventually('its handler is up', () => command.stdout.includes('up'));
    await rkt.output(['stop', `--uuid-file=${uuidFile}`]);
    expect(await command.finished).toMatchObject({ code: 143, stdout: 'up\n' });
  });

  test('a post-stop that fails is told of', async () => {
    const { code, stderr } = await run('exit 0', { 'post-stop': 'exit 7' });
    expect(code).toBe(0);
    expect(stderr).toContain('app web: event handler post-stop ended with 7');
  });
});
