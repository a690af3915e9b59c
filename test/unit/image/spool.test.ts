import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ImageError, type ImageErrorCode } from '../../../src/image/error.ts';
import type { RemoteBytes } from '../../../src/image/source.ts';
import { partialEtag, spool } from '../../../src/image/spool.ts';
import { openStore, type Store } from '../../../src/store/index.ts';

let directory = '';
let store: Store;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'rkt-spool-'));
  store = openStore(join(directory, 'data'));
  store.prepare();
});
afterEach(() => rmSync(directory, { recursive: true }));

const KEY = 'an address';
const partials = () => readdirSync(store.blobs.partialDirectory);

interface Connection {
  /** Where it begins; all that was asked for, if not said. */
  readonly from?: number;
  readonly etag?: string | undefined;
  readonly text: string;
  /** What it ends with instead of the rest. */
  readonly fails?: ImageErrorCode;
}

/** One attempt: a connection that brings this. Gives what was fetched. */
async function attempt({ from, etag, text, fails }: Connection): Promise<string> {
  const asked: number[] = [];
  const remote: RemoteBytes = {
    open: async (offset) => {
      asked.push(offset);
      return { bytes: pieces(text, fails), offset: from ?? offset, total: undefined };
    },
  };
  using spooled = await spool(store, { key: KEY, what: 'it', remote, resume: true, etag: () => etag }, {});
  return readFileSync(spooled.path, 'utf8');
}

async function* pieces(text: string, fails: ImageErrorCode | undefined) {
  yield Buffer.from(text);
  if (fails !== undefined) throw new ImageError(fails, 'so the test has it');
}

const broken = (connection: Connection) =>
  expect(attempt({ fails: 'server', ...connection })).rejects.toThrow('so the test has it');

describe('what has come before a failure', () => {
  test('is gone on with, and its ETag is known', async () => {
    await broken({ etag: '"1"', text: 'one ' });
    expect(partialEtag(store, KEY)).toBe('"1"');
    expect(await attempt({ etag: '"1"', text: 'two' })).toBe('one two');
    expect(partials()).toEqual([]);
  });

  test('is forgotten where the other side begins anew', async () => {
    await broken({ etag: '"1"', text: 'one ' });
    await broken({ from: 0, etag: '"2"', text: 'another ' });
    expect(partialEtag(store, KEY)).toBe('"2"');
    expect(await attempt({ etag: '"2"', text: 'two' })).toBe('another two');
  });

  test('is not taken for a version that it is not of', async () => {
    await broken({ etag: '"1"', text: 'one ' });
    await broken({ from: 0, text: 'of no version ' });
    expect(partialEtag(store, KEY)).toBeUndefined();
  });

  test.each<ImageErrorCode>(['too-large', 'bad-answer', 'digest-mismatch', 'not-found'])(
    'is thrown away after %s, which would come again',
    async (fails) => {
      await broken({ etag: '"1"', text: 'one', fails });
      expect(partials()).toEqual([]);
    },
  );

  test('is nothing where nothing has come', async () => {
    await broken({ etag: '"1"', text: '' });
    expect(partials()).toEqual([]);
  });
});
