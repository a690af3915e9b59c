import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { FLAVOURS } from '../support/flavours.ts';
import { eventually } from '../support/polling.ts';
import { writePostgresImage } from '../support/postgres-image.ts';
import { useRkt } from '../support/rkt.ts';

// A database keeps what it has said that it keeps, whatever becomes of its pod.

const MIB = 1024 * 1024;
const rkt = useRkt();
const [kvm] = FLAVOURS;
let image = '';
beforeAll(async () => {
  image = await writePostgresImage(rkt.path('postgres.aci'));
  await rkt.output(['fetch', image], { timeoutSeconds: 600 });
  mkdirSync(rkt.path('host'));
  writeFileSync(rkt.path('disk.img'), '');
  truncateSync(rkt.path('disk.img'), 512 * MIB);
});

const QUERY =
  'setpriv --reuid=postgres --regid=postgres --clear-groups psql -h /tmp -XAtq -v ON_ERROR_STOP=1';
/** Each number is said when it is committed. */
const COUNT = `${QUERY} -c 'create table t (n int primary key, text text)'
n=0; while :; do n=$((n+1)); ${QUERY} -c "insert into t values ($n, repeat('x', 2000))"; echo "committed $n"; done`;

const volumes: readonly (readonly [string, () => string])[] = [
  ['a host volume', () => `data,kind=host,source=${rkt.path('host')}`],
  ['a named volume', () => 'data,kind=named,source=postgres'],
  ['a block volume', () => `data,kind=block,source=${rkt.path('disk.img')}`],
];

async function startServer(volume: string): Promise<string> {
  const flags = ['--net=none', '--detach', `--stage1-path=${kvm?.image}`, `--volume=${volume}`];
  const app = ['example.com/postgres', '--memory=256Mi', '--mount=volume=data,target=/data'];
  const uuid = (await rkt.output(['run', ...flags, ...app], { timeoutSeconds: 300 })).trim();
  const isUp = ['enter', uuid, '/bin/sh', '-c', `${QUERY} -c 'select 1'`];
  await eventually('the server answers', async () => (await rkt.run(isUp)).code === 0, 240);
  return uuid;
}

describe.each(volumes)('PostgreSQL on %s', (_, volume) => {
  test('has all that it has committed when its pod is killed, for the next pod', async () => {
    const first = await startServer(volume());
    const counting = rkt.start(['enter', first, '/bin/sh', '-c', COUNT], { timeoutSeconds: 300 });
    await eventually('some are committed', () => counting.stdout.includes('committed 6\n'), 240);
    const pid = Number(/^pid=(\d+)$/m.exec(await rkt.output(['status', first]))?.[1]);
    process.kill(pid, 'SIGKILL');
    await counting.finished;
    const said = Number(/committed (\d+)\n$/.exec(counting.stdout)?.[1]);
    await eventually('the pod has ended', async () =>
      (await rkt.output(['status', first])).includes('state=exited'),
    );
    const second = await startServer(volume());
    const ask = async (sql: string) =>
      await rkt.output(['enter', second, '/bin/sh', '-c', `${QUERY} -c "${sql}"`]);
    const [count = 0, most = 0] = (await ask('select count(*), max(n) from t')).trim().split('|').map(Number);
    // The last one may have been kept without there being time to say so.
    expect(most).toBeGreaterThanOrEqual(said);
    expect(count).toBe(most);
    expect(await ask('select count(*) from t where length(text) = 2000')).toBe(`${count}\n`);
    await rkt.output(['stop', second]);
    await rkt.output(['rm', first, second]);
  });
});
