import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { killedAt, readRecording, recorded, wasKilled } from '../support/crash/system-calls.ts';
import { useRkt } from '../support/rkt.ts';

// SIGKILL at each system call by which a volume is made or removed: it is there as a whole, or not at all.

const rkt = useRkt();
const create = ['volume', 'create', '--label=a=b', 'one'];
const remove = ['volume', 'rm', 'one'];
const names = () => readdirSync(join(rkt.dir, 'volumes')).sort();
const listed = async () => (await rkt.output(['volume', 'list', '--quiet'])).split('\n').filter(Boolean);
const data = join(rkt.dir, 'volumes/one/private/data');

beforeAll(async () => {
  // The data directory, and its directory of volumes.
  await rkt.output(['volume', 'create', 'first']);
});

function fill(): void {
  mkdirSync(join(data, 'deep/er'), { recursive: true });
  writeFileSync(join(data, 'deep/er/file'), 'x');
}

async function points(args: readonly string[]) {
  const log = rkt.path('recording');
  expect(await rkt.startArgv(recorded(log, rkt.argv(args))).finished).toMatchObject({ code: 0 });
  // What the engine does before it comes to volumes leaves nothing.
  return readRecording(log, 'none').filter(
    ({ call }) => !['clone', 'clone3', 'execve', 'kill'].includes(call),
  );
}

/** Whether it was killed: the engine makes calls of its own, now more, now fewer. */
async function crash(args: readonly string[], point: Parameters<typeof killedAt>[0]): Promise<boolean> {
  const log = rkt.path('crash');
  await rkt.startArgv(killedAt(point, log, rkt.argv(args))).finished;
  return wasKilled(log);
}

test('making one', async () => {
  const calls = await points(create);
  await rkt.output(remove);
  let killed = 0;
  for (const point of calls) {
    if (await crash(create, point)) killed += 1;
    const isThere = (await listed()).includes('one');
    if (isThere)
      expect(JSON.parse(await rkt.output(['volume', 'inspect', 'one']))).toMatchObject([
        { labels: { a: 'b' } },
      ]);
    else await rkt.output(create);
    // Whoever comes next has cleared what was left.
    await rkt.output(['volume', 'create', 'two']);
    expect(names()).toEqual(['first', 'one', 'two']);
    await rkt.output(['volume', 'rm', 'one', 'two']);
  }
  expect(killed).toBeGreaterThan(5);
});

test('removing one', async () => {
  await rkt.output(create);
  fill();
  const calls = await points(remove);
  let killed = 0;
  for (const point of calls) {
    await rkt.output(create);
    fill();
    if (await crash(remove, point)) killed += 1;
    const isThere = (await listed()).includes('one');
    expect(existsSync(join(data, 'deep/er/file'))).toBe(isThere);
    if (isThere) await rkt.output(remove);
    await rkt.output(['volume', 'create', 'two']);
    expect(names()).toEqual(['first', 'two']);
    await rkt.output(['volume', 'rm', 'two']);
  }
  expect(killed).toBeGreaterThan(5);
});
