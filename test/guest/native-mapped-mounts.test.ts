import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { reportOf } from '../support/native-program.ts';

const FIRST = 1879113728;
const NOBODY = 65534;

const scratch = mkdtempSync(join(tmpdir(), 'rkt-mapped-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

it('files of a pod with users of its own are its ids’, and keep those on disk', async () => {
  expect(await reportOf('mapped-mounts', scratch)).toEqual({
    seen: [
      ['file', FIRST, FIRST],
      ['file', FIRST + 1000, FIRST + 1000],
      ['file', NOBODY, NOBODY],
      ['file', FIRST + 7, FIRST + 7],
    ],
    disk: [
      ['file', 5, 6],
      ['file', 1000, 1000],
      ['char', 0, 0],
      ['directory', 0, 0],
    ],
    layers: [['file', 1000, 1000], 'text'],
    volume: ['file', FIRST + 8, FIRST + 8],
    refused:
      'taken; --private-users: /srv/plain: /plain/volume is on a file system that cannot show other ids: proc',
  });
});
