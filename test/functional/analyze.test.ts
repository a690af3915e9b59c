import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { FLAVOURS } from '../support/flavours.ts';
import { tinyImages } from '../support/images.ts';
import { savedUuid, useRkt } from '../support/rkt.ts';
import { elementsOf } from '../support/xml.ts';

const rkt = useRkt();
let image = '';
beforeAll(async () => {
  image = (await tinyImages()).aci.plain;
});

interface Analyzed {
  readonly uuid: string;
  readonly ready: boolean;
  readonly start_up: number;
  readonly running?: number;
  readonly spans: readonly {
    readonly name: string;
    readonly app_name?: string;
    readonly start: number;
    readonly duration: number;
  }[];
}

async function analyzed(uuid: string): Promise<Analyzed> {
  return JSON.parse(await rkt.output(['analyze', '--format=json', uuid]));
}

/** The names of the parts, when those follow each other without a gap and make up the whole. */
function chain({ spans, start_up }: Analyzed): string[] {
  let [end, work] = [0, 0];
  for (const { name, start, duration } of spans) {
    expect(start).toBe(end);
    expect(duration).toBeGreaterThanOrEqual(0);
    end = start + duration;
    if (name !== 'wait') work += duration;
  }
  expect(start_up).toBe(work);
  return spans.map(({ name, app_name }) => (app_name === undefined ? name : `${name} ${app_name}`));
}

const STAGE0 = ['command', 'fetch', 'prepare'];
const VESSELS = { machine: ['vm', 'kernel', 'init'], namespaces: ['namespaces', 'init'] } as const;

describe.each(FLAVOURS)('$name', (flavour) => {
  const stage1 = `--stage1-path=${flavour.image}`;
  const vessel = VESSELS[flavour.ownKernel ? 'machine' : 'namespaces'];
  let uuid = '';
  beforeAll(async () => {
    const file = rkt.path('uuid');
    const apps = [image, '--name=one', image, '--name=two'];
    // Its kernel boots, whatever machines are saved.
    const env = { RKT_HYPERVISOR_EXTRA_KERNEL_PARAMS: 'of=mine' };
    await rkt.output(['run', '--net=none', stage1, `--uuid-file-save=${file}`, ...apps], { env });
    uuid = savedUuid(file) ?? '';
  });

  test('the parts of a start follow each other and make up the whole', async () => {
    const found = await analyzed(uuid.slice(0, 8));
    expect(found).toMatchObject({ uuid, ready: true });
    const names = chain(found);
    expect(names.slice(0, -3)).toEqual([...STAGE0, 'mount', 'set-up', ...vessel]);
    expect(names.slice(-3, -1).sort()).toEqual(['app one', 'app two']);
    expect(names.at(-1)).toBe('ready');
    expect(found.running).toBeGreaterThan(0);
    // The guest has told of itself: none is nothing.
    for (const name of vessel)
      expect(found.spans.find((span) => span.name === name)?.duration).toBeGreaterThan(0);
    const pretty = await rkt.output(['analyze', '--format=json-pretty', uuid]);
    expect(JSON.parse(pretty)).toEqual(found);
    expect(pretty).toContain('\n\t"spans": [\n');
  });

  test('as a table, with shares of the sum', async () => {
    const rows = (await rkt.output(['analyze', uuid])).trimEnd().split('\n');
    expect(rows[0]).toMatch(/^PART\t+BEGAN\t+TOOK\t+SHARE\t+WHAT$/);
    expect(rows.slice(1).map((row) => row.split('\t')[0])).toEqual([
      ...(await analyzed(uuid)).spans.map(({ name, app_name = '' }) => `${name} ${app_name}`.trimEnd()),
      ...['start-up', 'running'],
    ]);
    const words = flavour.ownKernel ? /^vm\t.*QEMU/m : /^namespaces\t.*namespaces of the host/m;
    expect(rows.join('\n')).toMatch(words);
    expect(await rkt.output(['analyze', '--format=text', uuid])).toBe(`${rows.join('\n')}\n`);
    expect(rows.find((row) => row.startsWith('start-up'))).toContain('100.0 %');
  });

  test('as a picture, on stdout and in a file', async () => {
    const file = rkt.path('start.svg');
    const svg = await rkt.output(['analyze', '--format=svg', uuid]);
    expect(await rkt.output(['analyze', `--output=${file}`, uuid])).toBe('');
    expect(readFileSync(file, 'utf8')).toBe(svg);
    const elements = await elementsOf(file);
    expect(elements[0]).toBe('svg');
    const { spans } = await analyzed(uuid);
    // A background, and a bar for each part.
    expect(elements.filter((name) => name === 'rect')).toHaveLength(1 + spans.length);
    // Nothing is loaded from elsewhere, nothing runs.
    expect(svg).not.toMatch(/script|href|url\(|@import/);
    const json = rkt.path('start.json');
    await rkt.output(['analyze', '--format=json', `--output=${json}`, uuid]);
    expect(JSON.parse(readFileSync(json, 'utf8'))).toEqual(await analyzed(uuid));
  });

  test('of a prepared pod, with both commands, and the wait between them, which is no work', async () => {
    const prepared = (await rkt.output(['prepare', stage1, image, '--name=web'])).trimEnd();
    const halfway = await rkt.run(['analyze', '--format=json', prepared]);
    expect(halfway).toMatchObject({
      code: 0,
      stderr: 'analyze: the pod did not get ready: what is shown is what it came to\n',
    });
    expect(chain(JSON.parse(halfway.stdout))).toEqual(STAGE0);
    await rkt.output(['run-prepared', '--net=none', prepared]);
    const found = await analyzed(prepared);
    expect(chain(found)).toEqual([
      ...STAGE0,
      'wait',
      'command',
      'mount',
      'set-up',
      ...vessel,
      'app web',
      'ready',
    ]);
    const wait = found.spans.find(({ name }) => name === 'wait');
    expect(wait?.duration).toBeGreaterThan(0);
    expect(await rkt.output(['analyze', prepared])).toMatch(/^wait\t+[\d.]+ ms\t+[\d.]+ ms\t+-\t/m);
  });
});

test('says what it cannot show', async () => {
  const uuid = (await rkt.output(['prepare', image])).trimEnd();
  const complaint = async (...args: string[]) => {
    const { code, stdout, stderr } = await rkt.run(['analyze', ...args]);
    expect({ code, stdout }).toEqual({ code: 254, stdout: '' });
    return stderr;
  };
  expect(await complaint('--format=png', uuid)).toBe(
    'analyze: --format: expected text, json, json-pretty, svg, got "png"\n',
  );
  expect(await complaint(`--output=${rkt.path('no/such/file')}`, uuid)).toMatch(
    /^analyze: --output=.*ENOENT/,
  );
  expect(await complaint('ffff-none')).toBe('analyze: no matches found for "ffff-none"\n');
  writeFileSync(join(rkt.dir, 'pods/prepared', uuid, 'timeline'), 'rubbish\n');
  expect(await complaint(uuid)).toBe(`analyze: pod "${uuid}" has no timeline of its start\n`);
});
