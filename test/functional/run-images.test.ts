import { cpSync, readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { ACI_COMPRESSIONS, type TinyImages, tinyImages } from '../support/images.ts';
import { podDirectories } from '../support/leaks.ts';
import { useRkt } from '../support/rkt.ts';

const rkt = useRkt();
let images: TinyImages;
beforeAll(async () => {
  images = await tinyImages();
});

test('every kind of image runs, all in one pod', async () => {
  const sources: [string, string][] = [
    ...ACI_COMPRESSIONS.map((name): [string, string] => [name, images.aci[name]]),
    ['layout', `oci:${images.ociLayout}:latest`],
    ['layout-untagged', `oci:${images.ociLayout}`],
    ['archive', `oci-archive:${images.ociArchive}:latest`],
  ];
  const apps = sources.map(([name, image]) => [
    image,
    `--name=${name}`,
    '--exec=/bin/sh',
    '--',
    '-c',
    'echo $AC_APP_NAME',
    '---',
  ]);
  const { code, stdout, stderr } = await rkt.run(['run', '--net=none', ...apps.flat()], {
    timeoutSeconds: 240,
  });
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout.trim().split('\n').sort()).toEqual(sources.map(([name]) => name).sort());

  // An image is what it holds: compression and packaging do not make another one of it.
  const [pod] = await rkt.list();
  const ids = new Map(pod?.apps?.map((app) => [app.name, app.image_id]));
  expect(new Set(ACI_COMPRESSIONS.map((name) => ids.get(name))).size).toBe(1);
  expect(new Set(['layout', 'layout-untagged', 'archive'].map((name) => ids.get(name))).size).toBe(1);
  expect(ids.get('plain')).not.toBe(ids.get('layout'));
});

describe('an image that is not right is refused, and nothing of a pod is made', () => {
  const broken: Record<string, () => string> = {
    'a file that does not exist': () => rkt.path('absent.aci'),
    'a file that is no archive': () => {
      writeFileSync(rkt.path('text.aci'), 'this is not an image\n'.repeat(100));
      return rkt.path('text.aci');
    },
    'a truncated archive': () => {
      cpSync(images.aci.gzip, rkt.path('short.aci'));
      truncateSync(rkt.path('short.aci'), 200_000);
      return rkt.path('short.aci');
    },
    'an absent tag': () => `oci:${images.ociLayout}:absent`,
    'a layout that does not exist': () => `oci:${rkt.path('absent')}:latest`,
    'a layout with a damaged blob': () => {
      const layout = rkt.path('damaged');
      cpSync(images.ociLayout, layout, { recursive: true });
      const blobs = join(layout, 'blobs/sha256');
      for (const blob of readdirSync(blobs)) truncateSync(join(blobs, blob), 100);
      return `oci:${layout}:latest`;
    },
    'a name, which is fetched from nowhere yet': () => 'example.com/absent',
  };

  test.each(Object.keys(broken))('%s', async (what) => {
    const before = podDirectories(rkt.dir).length;
    const reference = broken[what]?.() ?? '';
    const { code, stdout, stderr } = await rkt.run(['run', '--net=none', reference]);
    expect({ code, stdout }).toEqual({ code: 254, stdout: '' });
    expect(stderr).toMatch(/^run: .+/);
    expect(stderr).not.toMatch(/^\s+at /m);
    await rkt.output(['gc', '--grace-period=0s']);
    expect(podDirectories(rkt.dir).length).toBeLessThanOrEqual(before);
  });

  test('an unsigned image, unless that is allowed', async () => {
    const argv = rkt
      .argv(['run', '--net=none', images.aci.plain])
      .filter((word) => !word.startsWith('--insecure'));
    const { code, stderr } = await rkt.startArgv(argv).finished;
    expect(code).toBe(254);
    expect(stderr).toMatch(/signature/);
  });
});
