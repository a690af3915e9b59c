import { beforeAll, describe, expect, test } from 'vitest';
import type { RunningCommand } from '../support/command.ts';
import { detachedPod } from '../support/detached-pod.ts';
import { FLAVOURS } from '../support/flavours.ts';
import { GroupHost } from '../support/group-member.ts';
import { tinyImages } from '../support/images.ts';
import { eventually } from '../support/polling.ts';
import { useRkt } from '../support/rkt.ts';

const rkt = useRkt();
let image = '';
beforeAll(async () => {
  image = (await tinyImages()).aci.plain;
});

interface Told {
  readonly event: string;
  readonly name: string;
  readonly pod_name?: string;
  readonly app?: string;
  readonly exit_code?: number;
  readonly time: number;
}

/** `rkt events`, which sees all that comes from now on. */
async function watch(...flags: string[]): Promise<RunningCommand> {
  const command = rkt.start(['events', ...flags], { timeoutSeconds: 600 });
  await eventually('it watches', async () => {
    await rkt.output(['rm', (await rkt.output(['prepare', image])).trimEnd()]);
    return command.stdout !== '';
  });
  return command;
}

async function end(command: RunningCommand): Promise<string> {
  command.signal('SIGINT');
  const { code, stdout, stderr } = await command.finished;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
}

const parse = (text: string): Told[] =>
  text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));

/** In short, and in their order: `app-exited web 7`. */
const story = (events: readonly Told[], uuid: string) =>
  events
    .filter(({ name }) => name === uuid)
    .map(({ event, app, exit_code: code }) =>
      [event, app, code].filter((word) => word !== undefined).join(' '),
    );

const UNTIL_TOLD = 'trap "exit 4" TERM; echo up; while :; do sleep 0.1; done';

describe.each(FLAVOURS)('events of pods of $name', (flavour) => {
  const stage1 = `--stage1-path=${flavour.image}`;

  test('are all told, of pods that stay as of those that go at once', async () => {
    const watching = await watch('--format=json');
    const app = [image, '--name=web', '--exec=/bin/sh', '--', '-c'];
    const stopped = await detachedPod(rkt, [stage1, '--pod-name=front', ...app, UNTIL_TOLD]);
    await eventually('the app is up', async () => (await rkt.output(['logs', 'front'])) === 'up\n');
    for (const words of [['pause'], ['resume'], ['stop'], ['rm']]) await rkt.output([...words, 'front']);
    const prepared = (await rkt.output(['prepare', stage1, ...app, 'exit 3'])).trimEnd();
    expect((await rkt.run(['run-prepared', '--net=none', '--rm', prepared])).code).toBe(3);
    const killed = await detachedPod(rkt, [stage1, ...app, UNTIL_TOLD]);
    const pid = /^pid=(\d+)$/m.exec(await rkt.output(['status', killed]))?.[1];
    process.kill(Number(pid), 'SIGKILL');
    await eventually('its end is told', () => story(parse(watching.stdout), killed).includes('exited'));
    const events = parse(await end(watching));
    const start = ['started', 'app-started web', 'ready'];
    expect(story(events, stopped)).toEqual([
      ...['created', ...start, 'paused', 'resumed'],
      ...['app-exited web 4', 'exited 4', 'removed'],
    ]);
    expect(events.find(({ event, name }) => name === stopped && event === 'removed')?.pod_name).toBe('front');
    expect(story(events, prepared)).toEqual([
      ...['created', 'prepared', ...start],
      ...['app-exited web 3', 'exited 3', 'removed'],
    ]);
    expect(story(events, killed)).toEqual(['created', ...start, 'exited']);
    await rkt.output(['rm', killed]);
  });

  test('starts again are told, with what they follow', async () => {
    const watching = await watch('--filter=event=app-restarting', '--filter=event=removed', '--format=json');
    const flags = ['--restart=on-failure:2', '--exec=/bin/sh', '--', '-c', 'exit 3'];
    expect((await rkt.run(['run', '--net=none', '--pod-name=again', stage1, image, ...flags])).code).toBe(3);
    const uuid = (await rkt.output(['list', '--quiet', '--filter=name=again'])).trimEnd();
    await eventually('both are told', () => story(parse(watching.stdout), uuid).length >= 2);
    expect(story(parse(await end(watching)), uuid)).toEqual([
      'app-restarting tiny 3',
      'app-restarting tiny 3',
    ]);
    await rkt.output(['rm', 'again']);
  });
});

test('--filter takes what is asked for, --count ends it, lines are for people', async () => {
  const watching = await watch('--filter=event=prepared', '--filter=event=removed');
  const ended = rkt.start(['events', '--count=2', '--filter=name=second']);
  const first = (await rkt.output(['prepare', '--pod-name=first', image])).trimEnd();
  await rkt.output(['rm', first]);
  await eventually('two events of pods of that name', async () => {
    if (ended.ended) return true;
    await rkt.output(['prepare', '--pod-name=second', image]);
    await rkt.output(['rm', 'second']);
    return ended.ended;
  });
  const { code, stdout } = await ended.finished;
  expect(code).toBe(0);
  expect(stdout).toMatch(/^(\S+ \S+ (created|prepared|removed) name=second\n){2}$/);
  const linesIn = (text: string) => text.split('\n').filter((line) => line.includes(first));
  await eventually('both of the first are told', () => linesIn(watching.stdout).length >= 2);
  const lines = linesIn(await end(watching));
  const time = '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z';
  expect(lines).toEqual([
    expect.stringMatching(new RegExp(`^${time} ${first} prepared name=first$`)),
    expect.stringMatching(new RegExp(`^${time} ${first} removed name=first$`)),
  ]);
});

test('where the kernel has no watches left, that is said, and pods are looked at more often', async () => {
  const blind = ['strace', '-f', '-qq', '-o', '/dev/null', '-e', 'inject=inotify_init1:error=EMFILE'];
  const wanted = ['--filter=name=unseen', '--filter=event=prepared', '--filter=event=removed', '--count=2'];
  const watching = rkt.startArgv([...blind, ...rkt.argv(['events', ...wanted])]);
  await eventually('it says so', async () => watching.stderr.includes('cannot be watched'));
  const uuid = (await rkt.output(['prepare', '--pod-name=unseen', image])).trimEnd();
  await eventually('it is told', async () => watching.stdout.includes(`${uuid} prepared`));
  await rkt.output(['rm', 'unseen']);
  expect(await watching.finished).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(`${uuid} removed`),
  });
});

test('what cannot be asked for is refused', async () => {
  const refusal = async (...args: string[]) => {
    const { code, stderr } = await rkt.run(['events', ...args]);
    expect(code).toBe(254);
    return stderr;
  };
  expect(await refusal('--filter=event=born')).toMatch(
    /^events: --filter: "born" is no event: expected one of/,
  );
  expect(await refusal('--filter=pod=x')).toContain('a key of state, name, app, image, label, event\n');
  expect(await refusal('--count=0')).toBe('events: --count: "0" is not a number from 1\n');
});

describe('a member of the group rkt', () => {
  const home = useRkt();

  test('is told as well', async () => {
    const host = new GroupHost(home);
    const made = (await host.root(['prepare', image])).stdout.trimEnd();
    const watching = host.member(['events', '--count=1', '--filter=event=prepared'], { timeoutSeconds: 300 });
    let told = '';
    watching.then(({ stdout, stderr }) => {
      told = stdout + stderr;
    });
    const uuids = [made];
    await eventually('it is told', async () => {
      uuids.push((await host.root(['prepare', image])).stdout.trimEnd());
      return told !== '';
    });
    expect(uuids).toContain(/^\S+ (\S+) prepared\n$/.exec(told)?.[1]);
  });
});
