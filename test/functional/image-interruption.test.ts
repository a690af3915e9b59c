import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sha256, writeLayout } from '../support/image-files.ts';
import { eventually } from '../support/polling.ts';
import { useRkt } from '../support/rkt.ts';
import { type Answer, ScriptedServer } from '../support/scripted-server.ts';
import * as tar from '../support/tar-archive.ts';
import { CTRL_C, TerminalCommand } from '../support/terminal.ts';

// A download that does not go on, and whoever waits for it: at a terminal, from a script, and the next time.

const rkt = useRkt();
const HALF = 1024 * 1024;
const STEP = 512 * 1024;

/** Bytes that do not compress, the same each time. */
function noise(size: number): Buffer {
  const blocks = Array.from({ length: size / 64 }, (_, n) => createHash('sha512').update(`${n}`).digest());
  return Buffer.concat(blocks);
}

const layer = tar.archive(tar.directory('bin'), tar.file('bin/true', noise(2 * HALF)));
let server: ScriptedServer;
/** Whether layers come to their end, or only their first half, or a little more, and then nothing. */
let goesOn = false;

beforeAll(async () => {
  const layout = rkt.path('layout');
  writeLayout(layout, [{ tar: layer, compress: 'none' }]);
  const read = (digest: string) => readFileSync(join(layout, 'blobs/sha256', digest));
  const manifest = /sha256:([0-9a-f]{64})/.exec(readFileSync(join(layout, 'index.json'), 'utf8'))?.[1] ?? '';
  const answer: Answer = ({ path, headers }, response) => {
    if (path === '/v2/') return response.writeHead(200).end('{}');
    const type = 'application/vnd.oci.image.manifest.v1+json';
    if (path.includes('/manifests/'))
      return response.writeHead(200, { 'content-type': type }).end(read(manifest));
    const blob = read(/sha256:([0-9a-f]{64})/.exec(path)?.[1] ?? '');
    const [, offset] = /^bytes=(\d+)-/.exec(headers.range ?? '') ?? [];
    const from = Number(offset ?? 0);
    const range = { 'content-range': `bytes ${from}-${blob.length - 1}/${blob.length}` };
    response.writeHead(offset === undefined ? 200 : 206, {
      'content-length': blob.length - from,
      ...(offset === undefined ? {} : range),
    });
    if (goesOn || blob.length < HALF) return response.end(blob.subarray(from));
    return response.write(blob.subarray(from, Math.max(from + STEP, HALF)));
  };
  server = await ScriptedServer.start(answer);
});
afterAll(() => server.close());

const flags = ['--insecure-options=image,http'];
const fetch = () => [...flags, 'fetch', `docker://${server.address}/app`];
const digest = `sha256:${sha256(layer)}`;

test('Ctrl-C at a terminal ends a fetch with 254, and leaves the terminal as it was', async () => {
  const command = new TerminalCommand(rkt, rkt.argv(fetch()), { env: { TERM: 'xterm' } });
  await command.waitFor(/\x1b\[\?25l[\s\S]*downloading [0-9a-f]{12} \[=+> +\] +4\d%/);
  command.type(CTRL_C);
  expect((await command.finished).code).toBe(254);
  const [, last] = command.shown.split('\x1b[?25h');
  expect(last).toBe('fetch: interrupted by SIGINT\n');
});

test('a signal ends a fetch with one line, what has come is gone on with the next time', async () => {
  const command = rkt.start(fetch());
  await eventually('the download has begun', () => command.stderr.includes(`downloading ${digest}`));
  // Of what an earlier attempt has left.
  expect(command.stderr).toMatch(/, from 1\.0MiB on\n$/);
  const partial = join(rkt.dir, 'cas/partial', digest.replace(':', '-'));
  await eventually('all that comes has come', () => statSync(partial).size === HALF + STEP);
  command.signal('SIGTERM');
  const { code, stdout, stderr } = await command.finished;
  expect({ code, stdout }).toEqual({ code: 254, stdout: '' });
  expect(stderr.split('\n').slice(1)).toEqual(['fetch: interrupted by SIGTERM', '']);

  goesOn = true;
  const again = await rkt.run(fetch());
  expect(again.code).toBe(0);
  expect(again.stdout).toMatch(/^sha256-[0-9a-f]{32}\n$/);
  expect(again.stderr).toMatch(new RegExp(`^image: downloading ${digest}, 2\\.0MiB, from 1\\.5MiB on\\n`));
  expect(again.stderr).toMatch(new RegExp(`\\nimage: downloaded ${digest}, 51\\dKiB, .*/s\\n$`));
});
