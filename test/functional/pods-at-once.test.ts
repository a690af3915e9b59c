import { beforeAll, expect, test } from 'vitest';
import { FLAVOURS } from '../support/flavours.ts';
import { tinyImages } from '../support/images.ts';
import { eventually } from '../support/polling.ts';
import { useRkt } from '../support/rkt.ts';

const rkt = useRkt();
const PODS = 10;
let image = '';
beforeAll(async () => {
  image = (await tinyImages()).aci.plain;
  await rkt.output(['fetch', image]);
});

/** Ends with a code of its own when it is told to. */
const script = (n: number) =>
  `trap 'echo ${n} ends; exit ${n}' TERM; echo ${n} is up; while :; do sleep 0.2; done`;

test.each(FLAVOURS)(`${PODS} pods of $name run at once, and each ends as itself`, async (flavour) => {
  const numbers = Array.from({ length: PODS }, (_, index) => index + 1);
  const commands = numbers.map((n) =>
    rkt.start(
      [
        ...['run', '--net=none', `--stage1-path=${flavour.image}`, `--hostname=pod-${n}`],
        ...[image, `--name=app-${n}`, '--exec=/bin/sh', '--', '-c', script(n)],
      ],
      { timeoutSeconds: 280 },
    ),
  );
  await eventually(
    'all of them are up',
    () => {
      const ended = commands.find((command) => command.ended);
      if (ended !== undefined) throw new Error(`a pod has ended: ${ended.stderr}`);
      return commands.every((command) => command.stdout.includes('is up'));
    },
    240,
  );
  const running = (await rkt.list()).filter(({ state }) => state === 'running');
  expect(running).toHaveLength(PODS);
  for (const command of commands) command.signal('SIGTERM');
  const ends = await Promise.all(commands.map(({ finished }) => finished));
  expect(ends.map(({ code, stdout }) => ({ code, stdout }))).toEqual(
    numbers.map((n) => ({ code: n, stdout: `${n} is up\n${n} ends\n` })),
  );
  const apps = (await rkt.list()).flatMap((pod) => pod.apps ?? []);
  const codes = new Map(apps.map(({ name, exit_code }) => [name, exit_code]));
  expect(codes).toEqual(new Map(numbers.map((n) => [`app-${n}`, n])));
});
