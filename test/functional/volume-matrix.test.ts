import { execFileSync } from 'node:child_process';
import {
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { VOLUME_IDS } from '../../src/abi/volume-plan.ts';
import { writeFileImage } from '../support/file-image.ts';
import { FLY, VARIANTS, type Variant } from '../support/flavours.ts';
import { useRkt } from '../support/rkt.ts';
import { linkTarget, targetOf, VOLUME_CASES, VOLUME_LOOK, type VolumeCase } from '../support/volume-cases.ts';

const rkt = useRkt();
const flavours: readonly Variant[] = [...VARIANTS, { ...FLY, flags: [] }];
let image = '';

/** What volumes are of. Each flavour has its own. */
const at = (flavour: string, name: string) => join(rkt.path('sources'), flavour, name);

beforeAll(async () => {
  mkdirSync(rkt.path('files'));
  for (const volume of VOLUME_CASES) fill(rkt.path('files'), volume);
  const manifest = { name: 'example.com/volumes', exec: ['/bin/sh'], files: rkt.path('files') };
  image = await writeFileImage(rkt.path('volumes.aci'), manifest);
  for (const { name } of flavours) makeSources(name);
});

afterAll(() => {
  for (const { name } of flavours) execFileSync('umount', [at(name, 'directory/sub')]);
});

/** What the image has. */
function fill(files: string, volume: VolumeCase): void {
  if (volume.link === 'target') symlinkSync(linkTarget(volume), join(files, `link-${volume.name}`));
  if (!volume.filled) return;
  const path = join(files, volume.name);
  if (volume.of === 'directory' || volume.of === 'empty') {
    mkdirSync(path);
    writeFileSync(join(path, 'old'), 'of the image\n');
  } else writeFileSync(path, 'of the image\n');
}

function makeSources(flavour: string): void {
  const directory = at(flavour, 'directory');
  mkdirSync(join(directory, 'sub'), { recursive: true });
  own(join(directory, 'sub'));
  writeFileSync(join(directory, 'here'), 'of the host\n');
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'mode=1777', 'volume-matrix', join(directory, 'sub')]);
  writeFileSync(join(directory, 'sub/below'), 'mounted\n');
  writeFileSync(at(flavour, 'file'), 'of the host\n');
  // /dev/fuse and /dev/loop-control: they can be opened, and are not among those that all apps have. An app may use one or not.
  execFileSync('mknod', ['-m', '644', at(flavour, 'device'), 'c', '10', '229']);
  execFileSync('mknod', ['-m', '644', at(flavour, 'device-ro'), 'c', '10', '237']);
  for (const name of ['directory', 'file', 'device', 'device-ro'])
    symlinkSync(name, at(flavour, `${name}-link`));
  // All that is not of the pod's users' would be nobody's.
  for (const name of ['directory', 'directory/here', 'directory/sub', 'file']) own(at(flavour, name));
}

function own(path: string): void {
  chownSync(path, VOLUME_IDS.first, VOLUME_IDS.first);
}

function volumeFlags(flavour: string, { name, of, readOnly, recursive, link }: VolumeCase): string {
  const source = of === 'device' && readOnly ? 'device-ro' : of;
  const words = [
    name,
    ...(of === 'empty'
      ? ['kind=empty']
      : ['kind=host', `source=${at(flavour, source)}${link === 'source' ? '-link' : ''}`]),
    `readOnly=${readOnly}`,
    ...(recursive === undefined ? [] : [`recursive=${recursive}`]),
  ];
  return `--volume=${words.join(',')}`;
}

/** What an app sees of it. */
function expected({ name, of, readOnly, recursive }: VolumeCase, flavour: Variant): string {
  const yes = (answer: boolean) => (answer ? 'yes' : 'no');
  const isFly = flavour.name === FLY.name;
  const write = yes(!readOnly);
  switch (of) {
    case 'directory': {
      const isRecursive = recursive ?? !isFly;
      const below = isRecursive ? 'mounted' : '';
      return `${name} directory holds=of the host old=no below=${below} write=${write} write-below=${write}`;
    }
    case 'file':
      return `${name} file holds=of the host write=${write}`;
    case 'device':
      // The host's node is nobody's whom a pod with users of its own has.
      return `${name} device read=yes write=${yes(isFly || (!readOnly && flavour.flags.length === 0))} chmod=${yes(isFly && !readOnly)}`;
    case 'empty':
      return `${name} directory holds= old=no below= write=${write} write-below=no`;
    default:
      return of satisfies never;
  }
}

describe.each(flavours)('$name', (flavour) => {
  const stage1 = [`--stage1-path=${flavour.image}`, '--net=none', ...flavour.flags];
  const possible = VOLUME_CASES.filter(({ of }) => of !== 'device' || !flavour.ownKernel);
  const seen = new Map<string, string>();

  beforeAll(async () => {
    const mounts = possible.map((volume) => `--mount=volume=${volume.name},target=${targetOf(volume)}`);
    const stdout = await rkt.output(
      [
        ...[
          'run',
          ...stage1,
          ...possible.map((volume) => volumeFlags(flavour.name, volume)),
          image,
          ...mounts,
        ],
        ...['--exec=/bin/sh', '--', '-c', VOLUME_LOOK, 'sh'],
        ...possible.map((volume) => `${volume.name}=${targetOf(volume)}`),
      ],
      { timeoutSeconds: 300 },
    );
    expect(stdout).toContain('end-of-look');
    for (const line of stdout.split('\n')) seen.set(line.split(' ')[0] ?? '', line.trimEnd());
  });

  test.each(possible)('$name', (volume) => {
    expect(seen.get(volume.name)).toBe(expected(volume, flavour));
  });

  test('what is written to directories is on the host, owned by the pod’s root, and nothing else is', () => {
    const writable = possible.filter(({ of, readOnly }) => of === 'directory' && !readOnly);
    const names = readdirSync(at(flavour.name, 'directory')).sort();
    // Where a flat one has no `sub` of the host's, it has the one that this is mounted over.
    expect(names).toEqual(['here', 'sub', ...writable.map(({ name }) => `by-${name}`)].sort());
    const owner = flavour.name === FLY.name ? 0 : VOLUME_IDS.first;
    for (const { name } of writable) {
      const path = join(at(flavour.name, 'directory'), `by-${name}`);
      expect([statSync(path).uid, readFileSync(path, 'utf8')]).toEqual([owner, `from ${name}\n`]);
    }
  });

  test.runIf(flavour.ownKernel)('has no devices of the host', async () => {
    const source = at(flavour.name, 'device');
    const { code, stderr } = await rkt.run([
      ...['run', ...stage1, `--volume=d,kind=host,source=${source}`, image],
      ...['--mount=volume=d,target=/dev/fuse', '--exec=/bin/true'],
    ]);
    expect(code).toBe(254);
    expect(stderr).toContain(
      `volume d: ${source} is a device of the host, which a virtual machine cannot use`,
    );
  });
});
