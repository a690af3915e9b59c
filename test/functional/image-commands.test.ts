import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { aci } from '../support/image-files.ts';
import { type TinyImages, tinyImages } from '../support/images.ts';
import { useRkt } from '../support/rkt.ts';

// `rkt fetch` and `rkt image`, as their users see them: what is printed where, and with which exit code.

const rkt = useRkt();
let images: TinyImages;
let [aciId, ociId] = ['', ''];
beforeAll(async () => {
  images = await tinyImages();
  const ids = await rkt.output(['fetch', '--full', images.aci.gzip, `oci:${images.ociLayout}:latest`]);
  [aciId = '', ociId = ''] = ids.split('\n');
});

const NAME = 'example.com/tiny';
/** Cells of a table's rows: columns are padded with TABs. */
const rows = (table: string) =>
  table
    .trimEnd()
    .split('\n')
    .map((line) => line.split(/\t+/));

describe('fetch', () => {
  test('prints ids, short or whole, and nothing else of local files', async () => {
    expect(aciId).toMatch(/^sha512-[0-9a-f]{64}$/);
    expect(ociId).toMatch(/^sha256-[0-9a-f]{64}$/);
    const short = await rkt.run(['fetch', images.aci.gzip]);
    expect(short).toMatchObject({ code: 0, stdout: `${aciId.slice(0, 39)}\n`, stderr: '' });
    expect(await rkt.output(['im', 'fetch', '--full', images.aci.gzip])).toBe(`${aciId}\n`);
  });

  test('prints the ids of those before one that fails', async () => {
    const { code, stdout, stderr } = await rkt.run(['fetch', images.aci.gzip, '/no/such.aci', images.aci.xz]);
    expect({ code, stdout }).toEqual({ code: 254, stdout: `${aciId.slice(0, 39)}\n` });
    expect(stderr).toMatch(/^fetch: .*\/no\/such\.aci.*\n$/);
  });

  test('tells with --debug where an image was taken from', async () => {
    const { stderr } = await rkt.run(['--debug', 'fetch', aciId.slice(0, 20)]);
    expect(stderr).toContain(`image: using image from the store with hash ${aciId}`);
    expect((await rkt.run(['--debug', 'fetch', images.aci.gzip])).stderr).toContain(
      `image: using image from file ${images.aci.gzip}`,
    );
  });
});

describe('image list', () => {
  test('has a row for each image, the oldest first', async () => {
    const [legend, first, second] = rows(await rkt.output(['image', 'list']));
    expect(legend).toEqual(['ID', 'NAME', 'SIZE', 'IMPORT TIME', 'LAST USED']);
    expect(first?.slice(0, 3)).toEqual([
      aciId.slice(0, 19),
      `${NAME}:1.0.0`,
      expect.stringMatching(/^\d\.\dMiB$/),
    ]);
    expect(first?.[3]).toMatch(/^(now|\d+ seconds? ago|\d+ minutes? ago)$/);
    expect(second?.slice(0, 2)).toEqual([ociId.slice(0, 19), 'oci:latest']);
  });

  test('takes the fields, the order and the length that are asked for', async () => {
    const flags = ['--fields=name,id', '--sort=name', '--order=desc', '--full', '--no-legend'];
    expect(rows(await rkt.output(['im', 'li', ...flags]))).toEqual([
      ['oci:latest', ociId],
      [`${NAME}:1.0.0`, aciId],
    ]);
  });

  test('tells sizes and times as they are with --full, and sorts by them', async () => {
    const flags = [
      '--full',
      '--no-legend',
      '--sort=size',
      '--order=desc',
      '--fields=id,SIZE,importtime,lastused',
    ];
    const listed = rows(await rkt.output(['image', 'list', ...flags]));
    const time = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)? [+-]\d{4} \S+$/;
    for (const [, ...cells] of listed)
      expect(cells).toEqual([/^\d+$/, time, time].map((cell) => expect.stringMatching(cell)));
    const sizes = listed.map(([, size]) => Number(size));
    expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
    // The archive as it was fetched, and its files.
    const blob = readFileSync(images.aci.gzip).length;
    const files = readFileSync(images.aci.plain).length;
    const aci = Number(listed.find(([id]) => id === aciId)?.[1]);
    expect(aci).toBeGreaterThan(blob);
    expect(aci).toBeLessThan(blob + files);
  });

  test('is JSON with whole ids and times in nanoseconds', async () => {
    const listed: unknown = JSON.parse(await rkt.output(['image', 'list', '--format=json']));
    expect(listed).toMatchObject([
      { id: aciId, name: `${NAME}:1.0.0`, size: expect.any(Number) },
      { id: ociId, name: 'oci:latest' },
    ]);
    const text = await rkt.output(['image', 'list', '--format=json-pretty', '--fields=importtime']);
    const [time] = /\d{19}/.exec(text) ?? [];
    expect(Math.abs(Number(BigInt(time ?? 0) / 1_000_000n) - Date.now())).toBeLessThan(3_600_000);
  });

  test('of no images is a header, or null', async () => {
    const empty = `--dir=${rkt.path('empty')}`;
    expect(await rkt.output([empty, 'image', 'list'])).toBe('ID\tNAME\tSIZE\tIMPORT TIME\tLAST USED\n');
    expect(await rkt.output([empty, 'image', 'list', '--format=json'])).toBe('null\n');
  });
});

test('image cat-manifest prints the manifest, for people or in one line', async () => {
  const pretty = await rkt.output(['image', 'cat-manifest', NAME]);
  expect(pretty).toMatch(/^\{\n\t"acKind": "ImageManifest",\n/);
  const line = await rkt.output(['image', 'cat-manifest', '--pretty-print=false', aciId.slice(0, 15)]);
  expect(line.trimEnd()).toBe(JSON.stringify(JSON.parse(pretty)));
});

test.each([
  ['image cat-manifest sha512-0', /image ID too short/],
  ['image cat-manifest sha512-0123456789', /no image IDs found/],
  [
    'image cat-manifest example.com/none',
    /cannot find aci satisfying name: "example\.com\/none" and labels: \[\]/,
  ],
  ['image cat-manifest', /missing required argument/],
  [`image export ${NAME} out.zip`, /out\.zip: expected the extension \.aci or \.tar/],
  [`image export --format=zip ${NAME} out.aci`, /--format: expected aci or oci-archive, got "zip"/],
  [`image render --overwrite ${NAME} /`, /the root of this host/],
  ['image list --fields=id,frob', /--fields: unknown field "frob"/],
  ['image list --order=up', /--order: expected asc or desc/],
  ['image gc --grace-period=soon', /soon/],
  ['image rm', /must provide at least one image ID/],
  ['image verify', /must provide at least one image ID/],
  ['image import-rkt @none', /none/],
  ['image frob', /unknown command "frob" of image/],
  ['fetch', /must provide at least one image/],
  ['fetch --store-only --no-store x.aci', /both --store-only and --no-store specified/],
  [`fetch --auth-file=@none docker://localhost/x`, /unable to read credentials from .*none/],
  ['fetch --pull-policy=never docker://localhost/x', /localhost\/x/],
])('%s is refused in one line', async (line, message) => {
  const words = line.split(' ').map((word) => word.replace('@', `${rkt.root}/`));
  const { code, stdout, stderr } = await rkt.run(words);
  expect({ code, stdout }).toEqual({ code: 254, stdout: '' });
  expect(stderr).toMatch(message);
  expect(stderr.trimEnd().split('\n')).toHaveLength(1);
});

test('image without a command shows its commands, and fails with 2', async () => {
  const { code, stdout, stderr } = await rkt.run(['image']);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(/^image: missing command\n/);
  expect(stderr).toMatch(/^ {2}cat-manifest .*print the manifest of an image$/m);
  expect(await rkt.output(['help', 'image', 'li'])).toMatch(/^Usage: rkt image list \[FLAGS\]$/m);
});

describe('image export', () => {
  test('writes an ACI that is the same image', async () => {
    const file = rkt.path('tiny.aci');
    await rkt.output(['image', 'export', NAME, file]);
    expect(await rkt.output(['fetch', '--full', file])).toBe(`${aciId}\n`);
    const again = await rkt.run(['image', 'export', NAME, file]);
    expect(again).toMatchObject({ code: 254, stdout: '' });
    expect(again.stderr).toMatch(/--overwrite/);
    await rkt.output(['image', 'export', '--overwrite', NAME, file]);
  });

  test('writes an archive of OCI that is the same image', async () => {
    const file = rkt.path('tiny.tar');
    await rkt.output(['image', 'export', ociId, file]);
    expect(await rkt.output(['fetch', '--full', `oci-archive:${file}`])).toBe(`${ociId}\n`);
    const other = rkt.path('format.aci');
    await rkt.output(['image', 'export', '--format=oci-archive', ociId, other]);
    expect(await rkt.output(['fetch', '--full', `oci-archive:${other}`])).toBe(`${ociId}\n`);
  });
});

describe.each(['extract', 'render'])('image %s', (command) => {
  test('fills a directory, and replaces one only when told to', async () => {
    const directory = rkt.path(command);
    await rkt.output(['image', command, NAME, directory]);
    expect(readdirSync(directory).sort()).toEqual(['manifest', 'rootfs']);
    expect(readFileSync(join(directory, 'rootfs/etc/passwd'), 'utf8')).toContain('alice');
    writeFileSync(join(directory, 'mine'), '');
    const refused = await rkt.run(['image', command, '--rootfs-only', NAME, directory]);
    expect(refused).toMatchObject({ code: 254, stdout: '' });
    expect(refused.stderr).toMatch(/--overwrite/);
    expect(existsSync(join(directory, 'mine'))).toBe(true);
    await rkt.output(['image', command, '--rootfs-only', '--overwrite', NAME, directory]);
    expect(existsSync(join(directory, 'mine'))).toBe(false);
    expect(existsSync(join(directory, 'etc/passwd'))).toBe(true);
  });
});

test('image verify says of each image whether it is what it was', async () => {
  const { code, stdout, stderr } = await rkt.run(['image', 'verify', NAME, 'example.com/none', ociId]);
  expect({ code, stdout }).toEqual({
    code: 254,
    stdout:
      `successfully verified checksum for image: "${NAME}" ("${aciId}")\n` +
      `successfully verified checksum for image: "${ociId}" ("${ociId}")\n`,
  });
  expect(stderr).toMatch(/^verify: example\.com\/none: .*\nverify: failed to verify one or more images\n$/);
});

describe('image rm', () => {
  test('succeeds when it has removed something', async () => {
    writeFileSync(rkt.path('other.aci'), aci());
    const id = (await rkt.output(['fetch', '--full', rkt.path('other.aci')])).trimEnd();
    const { code, stdout, stderr } = await rkt.run(['image', 'rm', 'example.com/none', 'example.com/test']);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: `successfully removed aci for image: "${id}"\n`,
    });
    expect(stderr).toMatch(/^rm: example\.com\/none: cannot find aci satisfying name/);
    expect(stderr).toMatch(/rm: 1 image\(s\) successfully removed\nrm: 1 image\(s\) cannot be removed\n$/);
    expect(await rkt.output(['image', 'list'])).not.toContain('example.com/test');
  });

  test('fails when it has removed nothing', async () => {
    expect(await rkt.run(['image', 'rm', 'example.com/none'])).toMatchObject({ code: 254, stdout: '' });
  });
});

test('image gc keeps what was used a short time ago, and removes the rest with its layers', async () => {
  const dir = rkt.path('collected');
  cpSync(rkt.dir, dir, { recursive: true });
  const flags = [`--dir=${dir}`, 'image'];
  expect(await rkt.output([...flags, 'gc'])).toBe('');
  expect(rows(await rkt.output([...flags, 'list', '--no-legend']))).toHaveLength(2);
  const { code, stdout, stderr } = await rkt.run([...flags, 'gc', '--grace-period=0s']);
  const removed = [aciId, ociId].map((id) => `successfully removed aci for image: "${id}"\n`);
  expect({ code, stdout: stdout.split(/(?<=\n)/).sort() }).toEqual({ code: 0, stdout: removed.sort() });
  expect(stderr).toMatch(/gc: removed \d+ layer\(s\), \d+(\.\d)?MiB\n/);
  expect(stderr).toMatch(/gc: 2 image\(s\) successfully removed\n$/);
  expect(readdirSync(join(dir, 'cas/layer'))).toEqual([]);
});
