import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunningCommand } from '../support/command.ts';
import { FLY, VARIANTS, type Variant } from '../support/flavours.ts';
import { tinyImages } from '../support/images.ts';
import { eventually } from '../support/polling.ts';
import { useRkt } from '../support/rkt.ts';

const rkt = useRkt();
let image = '';
beforeAll(async () => {
  image = (await tinyImages()).aci.plain;
});

/** A host that shares its mounts, as systemd has it: a mount namespace where that is so, as long as this process lives. */
let host: RunningCommand;
beforeAll(async () => {
  const hold = 'mount --make-rshared / && echo shared && exec sleep infinity';
  host = rkt.startArgv(['unshare', '--mount', 'sh', '-c', hold], { timeoutSeconds: 1200 });
  await eventually('mounts are shared', () => host.stdout.includes('shared'));
});
afterAll(async () => {
  host.signal('SIGKILL');
  await host.finished;
});

const there = (...argv: readonly string[]) => ['nsenter', '--mount', `--target=${host.pid}`, ...argv];
const start = (args: readonly string[]) => rkt.startArgv(there(...rkt.argv(args)), { timeoutSeconds: 300 });

function onHost(script: string, argument: string): string {
  const [program = '', ...args] = there('sh', '-c', script, argument);
  return execFileSync(program, args, { encoding: 'utf8' });
}

const ALL: readonly Variant[] = [...VARIANTS, { ...FLY, flags: [] }];

describe.each(ALL)('$name', (flavour) => {
  const run = ['run', '--net=none', `--stage1-path=${flavour.image}`, ...flavour.flags];
  const hasOwnUsers = flavour.flags.includes('--private-users');
  const flags = 'grep -o " /w/sub rw[a-z,]*" /proc/self/mountinfo';
  const look = `for n in $(seq 30); do cat /w/sub/file 2>/dev/null && { ${flags}; exit; }; sleep 0.1; done; echo nothing`;
  const wait = 'touch /v/ready; while [ ! -e /v/go ]; do sleep 0.1; done;';

  test.each([
    ['arrives unless ids are mapped', ',recursive=true,idmap=none'],
    ['does not arrive where the volume is flat', ',recursive=false,idmap=none'],
    ['does not arrive where it is read-only', ',recursive=true,readOnly=true'],
  ])('what the host mounts below a volume %s', async (what, more) => {
    const source = join(rkt.path('sources'), flavour.name, what.replaceAll(' ', '-'));
    mkdirSync(join(source, 'sub'), { recursive: true });
    // A directory beside it tells when the app looks.
    const signals = `${source}-signals`;
    mkdirSync(signals);
    const command = start([
      ...[
        ...run,
        `--volume=v,kind=host,source=${signals},idmap=none`,
        `--volume=w,kind=host,source=${source}${more}`,
      ],
      ...[image, '--mount=volume=v,target=/v', '--mount=volume=w,target=/w'],
      ...['--exec=/bin/sh', '--', '-c', `${wait} ${look}`],
    ]);
    await eventually('the app waits', () => existsSync(join(signals, 'ready')));
    onHost('mount -t tmpfs propagation "$0" && echo mounted > "$0/file"', join(source, 'sub'));
    writeFileSync(join(signals, 'go'), '');
    const { stdout } = await command.finished;
    // Of one's own root on the host all mounts are shared: a flat or read-only volume is as the host's.
    const isFly = flavour.name === FLY.name;
    // What arrives is not mapped to users of the pod's own. Its flags are the host's, but for those that a machine adds.
    const seen = flavour.ownKernel ? 'rw,nosuid,nodev,relatime' : 'rw,relatime';
    const arrives = (what.startsWith('arrives') && !hasOwnUsers) || isFly;
    expect(stdout).toBe(arrives ? `mounted\n /w/sub ${seen}\n` : 'nothing\n');
  });
});

describe('stage1-fly', () => {
  test('has what an app mounts below a volume mounted on the host', async () => {
    const source = rkt.path('back');
    mkdirSync(join(source, 'sub'), { recursive: true });
    const script =
      'mount -t tmpfs back /v/sub && echo from the app > /v/sub/file; touch /v/ready; while [ ! -e /v/go ]; do sleep 0.1; done';
    const command = start([
      ...['run', `--stage1-path=${FLY.image}`, `--volume=v,kind=host,source=${source}`, image],
      ...['--mount=volume=v,target=/v', '--exec=/bin/sh', '--', '-c', script],
    ]);
    await eventually('the app waits', () => existsSync(join(source, 'ready')));
    const path = join(source, 'sub/file');
    expect(onHost('cat "$0"', path)).toBe('from the app\n');
    writeFileSync(join(source, 'go'), '');
    await command.finished;
    onHost('umount "$0"', join(source, 'sub'));
    expect(existsSync(path)).toBe(false);
  });
});
