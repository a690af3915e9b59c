import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { tinyImages } from '../support/images.ts';
import { LayoutWriter } from '../support/layout-writer.ts';
import { useRkt } from '../support/rkt.ts';
import { storeFiles } from '../support/store-files.ts';
import * as tar from '../support/tar-archive.ts';
import { tool } from '../support/tool.ts';
import { treeListing } from '../support/tree-listing.ts';

// Images in files, as skopeo, podman and people with gzip leave them: the same image from each of them.

const rkt = useRkt();
const NAME = 'example.com/team/tiny:1';
const SECOND = 'example.com/team/second:2';
let layout = '';
beforeAll(async () => {
  layout = (await tinyImages()).ociLayout;
  const second = new LayoutWriter(rkt.path('second'));
  const image = second.image({ layers: [tar.archive(tar.file('second', 'image'))] });
  await saveAll(second.tag(image, 'latest'));
});

/** Writes the files that the tests read, with the tools that people have. */
async function saveAll(second: string): Promise<void> {
  const first = `oci:${layout}:latest`;
  const skopeo = (from: string, to: string) => tool('skopeo', ['--insecure-policy', 'copy', '-q', from, to]);
  await skopeo(first, `oci-archive:${rkt.path('oci.tar')}:latest`);
  await skopeo(first, `docker-archive:${rkt.path('docker.tar')}:${NAME}`);
  await skopeo(first, `docker-archive:${rkt.path('unnamed.tar')}`);
  await skopeo(second, `oci-archive:${rkt.path('second.tar')}:latest`);
  await tool('gzip', ['-k', rkt.path('docker.tar')]);
  await tool('zstd', ['-q', rkt.path('docker.tar')]);
  for (const directory of ['podman', 'podman-run']) mkdirSync(rkt.path(directory));
  for (const [file, name] of Object.entries({ 'oci.tar': NAME, 'second.tar': SECOND }))
    await podman('tag', (await podman('pull', '-q', `oci-archive:${rkt.path(file)}`)).trim(), name);
  await podman('save', '-q', '-o', rkt.path('podman.tar'), NAME);
  await podman('save', '-q', '--format=oci-archive', '-o', rkt.path('podman-oci.tar'), NAME);
  await podman('save', '-q', '-m', '-o', rkt.path('several.tar'), NAME, SECOND);
}

function podman(...args: readonly string[]): Promise<string> {
  const places = [`--root=${rkt.path('podman')}`, `--runroot=${rkt.path('podman-run')}`];
  return tool('podman', [...places, '--storage-driver=vfs', '--cgroup-manager=cgroupfs', ...args]);
}

/** Fetches into a store of its own; gives the id and the name. */
async function fetchInto(store: string, image: string): Promise<{ id: string; name: string }> {
  const dir = `--dir=${rkt.path(store)}`;
  const id = (await rkt.output([dir, 'fetch', '--full', image])).trimEnd();
  const name = (await rkt.output([dir, 'image', 'list', '--no-legend', '--fields=name'])).trimEnd();
  return { id, name };
}

async function treeOf(store: string, id: string): Promise<string[]> {
  const tree = rkt.path(`tree-${store}`);
  await rkt.output([`--dir=${rkt.path(store)}`, 'image', 'render', '--rootfs-only', id, tree]);
  return treeListing(tree);
}

describe('one image', () => {
  let [id, tree]: [string, readonly string[]] = ['', []];
  beforeAll(async () => {
    id = (await fetchInto('layout', `oci:${layout}:latest`)).id;
    tree = await treeOf('layout', id);
    expect(tree.length).toBeGreaterThan(100);
  });

  test.each([
    ['a layout, without its tag', () => `oci:${layout}`, 'oci'],
    ['an archive of OCI', () => `oci-archive:${rkt.path('oci.tar')}:latest`, 'oci:latest'],
    ['an archive of OCI, without its tag', () => `oci-archive:${rkt.path('oci.tar')}`, 'oci'],
    ['an archive of OCI by podman', () => `oci-archive:${rkt.path('podman-oci.tar')}`, 'podman-oci'],
    ["an archive in Docker's format", () => `docker-archive:${rkt.path('docker.tar')}`, 'docker'],
    ['the same by its name', () => `docker-archive:${rkt.path('docker.tar')}:${NAME}`, NAME],
    ['the same without a name', () => `docker-archive:${rkt.path('unnamed.tar')}`, 'unnamed'],
    ['the same with gzip', () => `docker-archive:${rkt.path('docker.tar.gz')}:${NAME}`, NAME],
    ['the same with zstd', () => `docker-archive:${rkt.path('docker.tar.zst')}:${NAME}`, NAME],
    ['the same by podman', () => `docker-archive:${rkt.path('podman.tar')}:${NAME}`, NAME],
    ['one of several by podman', () => `docker-archive:${rkt.path('several.tar')}:${NAME}`, NAME],
  ])('from %s', async (what, reference, name) => {
    const store = what.replaceAll(/\W/g, '');
    const fetched = await fetchInto(store, reference());
    expect(fetched).toEqual({ id, name });
    expect(await treeOf(store, fetched.id)).toEqual(tree);
    // What was unpacked to be read is gone.
    expect(readdirSync(join(rkt.path(store), 'cas/partial'))).toEqual([]);
  });

  test('of several is the one that was named', async () => {
    const other = await fetchInto('other', `docker-archive:${rkt.path('several.tar')}:${SECOND}`);
    expect(other).toEqual({ id: expect.stringMatching(/^sha256-/), name: SECOND });
    expect(other.id).not.toBe(id);
    expect((await treeOf('other', other.id)).map((line) => line.split(' ')[0])).toEqual(['.', 'second']);
  });

  test('runs from a file', async () => {
    const image = `docker-archive:${rkt.path('docker.tar.gz')}`;
    const { code, stdout } = await rkt.run(['run', '--net=none', image], { timeoutSeconds: 240 });
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'hello from the image\n' });
  });
});

describe('what is not there is named, with what is', () => {
  test.each([
    ['a tag of a layout', () => `oci:${layout}:none`, /no tag "none" in the layout, it has "latest"\n$/],
    [
      'a tag of an archive of OCI',
      () => `oci-archive:${rkt.path('oci.tar')}:none`,
      /no tag "none" in the layout, it has "latest"\n$/,
    ],
    [
      "a name in an archive in Docker's format",
      () => `docker-archive:${rkt.path('several.tar')}:example.com/none`,
      new RegExp(`no image "example.com/none" in the archive, it has ${NAME}, ${SECOND}\n$`),
    ],
    [
      'which of several',
      () => `docker-archive:${rkt.path('several.tar')}`,
      new RegExp(`the archive has several images, name one of ${NAME}, ${SECOND}\n$`),
    ],
    ['a file', () => `docker-archive:${rkt.path('absent.tar')}`, /no such file: \S+absent\.tar\n$/],
    ['a layout', () => `oci:${rkt.path('absent')}`, /no such file: \S+absent\/oci-layout\n$/],
    ['a layout in an archive of Docker', () => `oci-archive:${rkt.path('docker.tar')}`, /oci-layout/],
    [
      'an ACI in an archive of OCI',
      () => rkt.path('oci.tar'),
      /\(is it an image of another kind, oci-archive:PATH\?\)/,
    ],
    ['an image in an archive of OCI', () => `docker-archive:${rkt.path('oci.tar')}`, /manifest\.json/],
  ])('%s', async (what, reference, message) => {
    const store = rkt.path(`missing-${what.replaceAll(/\W/g, '')}`);
    const { code, stdout, stderr } = await rkt.run([`--dir=${store}`, 'fetch', reference()]);
    expect({ code, stdout }).toEqual({ code: 254, stdout: '' });
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(storeFiles(store)).toEqual([]);
  });

  test.each([
    ['a layout', () => `oci:${layout}`],
    ['an archive of OCI', () => `oci-archive:${rkt.path('oci.tar')}`],
    ["an archive in Docker's format", () => `docker-archive:${rkt.path('docker.tar')}`],
  ])('%s has no signature, and needs the option', async (_what, reference) => {
    const { code, stderr } = await rkt.run(['fetch', reference()], { insecure: 'none' });
    expect({ code, stderr }).toEqual({
      code: 254,
      stderr: expect.stringMatching(
        / carry no signature that could be verified .*--insecure-options=image\)\n$/,
      ),
    });
  });
});
