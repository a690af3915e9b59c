import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { accessSync, constants, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { callsDirectory } from '../support/calls-program.ts';
import { escapeAttempts } from '../support/escape-attempts.ts';
import { writeFileImage } from '../support/file-image.ts';
import { VARIANTS } from '../support/flavours.ts';
import { eventually } from '../support/polling.ts';
import { useRkt } from '../support/rkt.ts';
import { startPod, useRunningPods } from '../support/running-pod.ts';

// What an app's root with rkt's capabilities can reach where the kernel is the host's: once as it is run, once by its capabilities alone.

const rkt = useRkt();
const pods = useRunningPods();
const socket = `rkt-escape-${randomUUID()}`;
const server = createServer();
const file = rkt.path('of-host');
writeFileSync(file, 'host', { mode: 0o644 });
const { dev } = statSync(file);
const disk = { major: (dev >> 8) & 0xfff, minor: (dev & 0xff) | ((dev >> 12) & 0xfff00) };
const attempts = escapeAttempts({ file, pid: process.pid, disk, socket });
const END = 'all has been tried';
const SCRIPT = [
  ...attempts.map(({ script }, index) => `echo "== ${index}"; ${script}`),
  `echo "== ${END}"`,
].join('\n');

let image = '';
beforeAll(async () => {
  server.listen(`\0${socket}`);
  await once(server, 'listening');
  image = await writeFileImage(rkt.path('calls.aci'), {
    name: 'example.com/calls',
    exec: ['/bin/sh'],
    files: await callsDirectory(),
  });
});
afterAll(() => void server.close());

const WAYS = [
  { way: 'with its filter and its capabilities', insecure: 'image', filtered: true },
  { way: 'with its capabilities alone', insecure: 'image,seccomp', filtered: false },
] as const;
const OF_HOST = ['/proc/sys/kernel/core_pattern', '/proc/sys/kernel/pid_max', '/proc/sys/kernel/hostname'];

/** Of the host as well: what it has mounted, but for what other tests have mounted for themselves. */
function hostMounts(): readonly string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => {
      const [, , , , target = ''] = line.split(' ');
      return !target.startsWith(`${tmpdir()}/`) || target.startsWith(rkt.root);
    });
}

describe.each(VARIANTS.filter(({ ownKernel }) => !ownKernel))('$name', ({ image: stage1, flags }) => {
  describe.each(WAYS)('root $way', ({ insecure, filtered }) => {
    const before = OF_HOST.map((path) => readFileSync(path, 'utf8'));
    const mounted = hostMounts();
    let ofApp: readonly string[] = [];
    let ofEnter: readonly string[] = [];

    beforeAll(async () => {
      const app = ['--exec=/bin/sh', '--', '-c', `${SCRIPT}\nwhile :; do sleep 0.1; done`];
      const pod = await startPod(rkt, [`--stage1-path=${stage1}`, ...flags, image, ...app], { insecure });
      pods.push(pod);
      await eventually('the app has tried all', () => pod.command.stdout.includes(END));
      ofApp = outcomes(pod.command.stdout);
      ofEnter = outcomes(await rkt.output(['enter', pod.uuid, '/bin/sh', '-c', SCRIPT]));
    });

    test.each(attempts.map((attempt, index) => ({ ...attempt, index })))(
      '$what',
      ({ index, outcome, unfiltered = outcome }) => {
        const expected = filtered ? outcome : unfiltered;
        for (const seen of [ofApp[index], ofEnter[index]])
          if (typeof expected === 'string') expect(seen).toBe(expected);
          else expect(seen).toMatch(expected);
      },
    );

    test('not even the program of PID 1 can be written to by who would become it', () => {
      const inits = rkt.scope.processes().filter(({ name }) => name === 'init');
      expect(inits).not.toEqual([]);
      for (const { pid } of inits)
        expect(() => accessSync(`/proc/${pid}/exe`, constants.W_OK)).toThrow('EROFS');
    });

    test('the host is as it was', () => {
      expect(OF_HOST.map((path) => readFileSync(path, 'utf8'))).toEqual(before);
      expect(hostMounts()).toEqual(mounted);
      expect(readFileSync(file, 'utf8')).toBe('host');
    });
  });
});

/** What the attempts have printed, in their order. */
function outcomes(text: string): string[] {
  return text
    .split(/^== .*\n/m)
    .slice(1)
    .slice(0, attempts.length);
}
