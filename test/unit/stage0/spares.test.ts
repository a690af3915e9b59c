import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { SPARE, SPARES } from '../../../src/abi/spares.ts';
import { TEMPLATE, TEMPLATES, type TemplateRecord } from '../../../src/abi/templates.ts';
import { ensureLockFile, tryExclusive, tryShared } from '../../../src/os/lock.ts';
import { openHost } from '../../../src/stage0/host.ts';
import { collectTemplates, listTemplates, removeTemplate } from '../../../src/stage0/templates.ts';

const KEY = '180f017f4437d20a';
const OTHER = '280f017f4437d20a';
const WEEK = 7 * 24 * 3600 * 1000;

let data = '';
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'rkt-spares-'));
});
afterEach(() => rmSync(data, { recursive: true }));

const host = () =>
  openHost({ dataDirectory: data, systemConfig: data, localConfig: data, insecure: new Set(), debug: false });
const scope = () => join(data, TEMPLATES, 'host');
const slotOf = (key: string, slot: number) => join(scope(), SPARES, key, String(slot));

const record: TemplateRecord = {
  ...{ facts: [], accelerator: 'tcg', cpus: 1, memoryMiB: 384, stage1: 'sha512-a', kernel: '6.12' },
  devices: { interfaces: 0, disks: [], scratchBytes: null },
  ...{ memoryBytes: 4096, stateBytes: 10, regions: [], created: 17 },
};

function template(key: string): void {
  mkdirSync(join(scope(), key), { recursive: true });
  writeFileSync(join(scope(), key, TEMPLATE.record), JSON.stringify(record));
}

/** Of a keeper that lives, until its end, or was killed. */
function slot(key: string, number: number, keeper: 'lives' | 'killed', ...names: readonly string[]): string {
  const path = slotOf(key, number);
  mkdirSync(join(path, SPARE.root, 'dev'), { recursive: true });
  for (const name of names) writeFileSync(join(path, name), '');
  const lock = tryExclusive(ensureLockFile(join(path, SPARE.lock)));
  if (keeper === 'killed') lock?.release();
  else onTestFinished(() => lock?.release());
  return path;
}

const counts = () => listTemplates(host()).templates.map(({ key, spares }) => [key, spares]);

describe('spares that are listed', () => {
  test('are those which are ready, and which somebody keeps', () => {
    template(KEY);
    template(OTHER);
    slot(KEY, 0, 'lives', SPARE.socket);
    slot(KEY, 1, 'lives', SPARE.socket);
    slot(KEY, 2, 'killed', SPARE.socket);
    slot(KEY, 3, 'lives', SPARE.scratch);
    expect(counts()).toEqual([
      [KEY, 2],
      [OTHER, 0],
    ]);
    // Their directory is no template.
    expect(listTemplates(host()).problems).toEqual([]);
  });

  test('are none where a socket is, and no lock', () => {
    template(KEY);
    mkdirSync(slotOf(KEY, 0), { recursive: true });
    writeFileSync(join(slotOf(KEY, 0), SPARE.socket), '');
    expect(counts()).toEqual([[KEY, 0]]);
  });

  test('are not more for somebody else who looks', () => {
    template(KEY);
    const path = slot(KEY, 0, 'killed', SPARE.socket);
    using probe = tryShared(join(path, SPARE.lock));
    expect(probe).toBeDefined();
    expect(counts()).toEqual([[KEY, 0]]);
  });
});

describe('gc', () => {
  const collect = () => collectTemplates(host(), WEEK);

  test('takes away what killed keepers have left, and their directories, and disturbs no other', async () => {
    template(KEY);
    const kept = slot(KEY, 0, 'lives', SPARE.socket, SPARE.id);
    const dead = slot(KEY, 1, 'killed', SPARE.id, SPARE.scratch);
    const server = createServer().listen(join(dead, SPARE.socket));
    await new Promise((resolve) => server.once('listening', resolve));
    onTestFinished(() => void server.close());
    slot(OTHER, 0, 'killed', SPARE.socket);
    mkdirSync(slotOf(OTHER, 1), { recursive: true });
    expect(collect()).toEqual([]);
    expect(readdirSync(join(scope(), SPARES))).toEqual([KEY]);
    expect(readdirSync(join(scope(), SPARES, KEY))).toEqual(['0']);
    expect(readdirSync(kept).sort()).toEqual([SPARE.id, SPARE.lock, SPARE.root, SPARE.socket]);
    expect(existsSync(join(scope(), KEY))).toBe(true);
  });

  test('leaves nothing where there is none that lives', () => {
    template(KEY);
    slot(KEY, 0, 'killed', SPARE.socket);
    // Of a removal that was interrupted.
    const half = slot(KEY, 1, 'killed', SPARE.scratch);
    rmSync(join(half, SPARE.lock));
    mkdirSync(join(scope(), SPARES, OTHER));
    expect(collect()).toEqual([]);
    expect(readdirSync(scope())).toEqual([KEY]);
  });

  test('of an unused template leaves its spares to their keepers', () => {
    template(KEY);
    const kept = slot(KEY, 0, 'lives', SPARE.socket);
    expect(collectTemplates(host(), -1000)).toEqual([KEY]);
    expect(existsSync(join(kept, SPARE.socket))).toBe(true);
  });
});

test('a template that is removed leaves its spares to their keepers', () => {
  template(KEY);
  const kept = slot(KEY, 0, 'lives', SPARE.socket);
  removeTemplate(host(), KEY);
  expect(readdirSync(scope())).toEqual([SPARES]);
  expect(existsSync(join(kept, SPARE.socket))).toBe(true);
  expect(() => removeTemplate(host(), SPARES)).toThrow(`there is no template "${SPARES}"`);
});
