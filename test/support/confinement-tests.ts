/** The confinement table as the tests of one kind of pod: each line is an app of one pod, which reads what it is and tries what it may not do. */
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { CONFINEMENT, OWNED, SYSCTLS } from './confinement-table.ts';
import type { Variant } from './flavours.ts';
import { tinyImages } from './images.ts';
import { type RktHome, savedUuid } from './rkt.ts';
import { tool } from './tool.ts';

/** A machine has the sum. */
const MEMORY = '--memory=24Mi';
/** The first app that fails ends a pod: that is the last one. */
const DONE = ': > /dev/shm/$AC_APP_NAME; exit 0';
const GREEDY = [
  `until [ $(ls /dev/shm | wc -l) -eq ${CONFINEMENT.length + 1} ]; do sleep 0.1; done`,
  'echo begins; exec dd if=/dev/zero of=/dev/null bs=200M count=1',
].join('; ');
const NEIGHBOUR = "trap 'echo ends; exit 0' TERM; : > /dev/shm/neighbour; while :; do sleep 0.1; done";
const KILLED = 137;

const APPS = [
  ...CONFINEMENT.map(({ name, flags, script }) => ({ name, flags, script: `${script}; ${DONE}` })),
  { name: 'greedy', flags: [], script: GREEDY },
  { name: 'neighbour', flags: [], script: NEIGHBOUR },
];

/** With a file that is not root's. */
async function ownedImage(path: string): Promise<string> {
  copyFileSync((await tinyImages()).aci.plain, path);
  const files = `${path}.files`;
  mkdirSync(join(files, 'rootfs'), { recursive: true });
  writeFileSync(join(files, 'rootfs', OWNED.path), '');
  const owner = ['--numeric-owner', `--owner=${OWNED.uid}`, `--group=${OWNED.gid}`];
  await tool('tar', ['-rf', path, ...owner, '-C', files, join('rootfs', OWNED.path)]);
  return path;
}

/** Within a `describe` of its own. */
export function testConfinement(
  rkt: RktHome,
  { name: flavour, image: stage1, flags: variant }: Pick<Variant, 'name' | 'image' | 'flags'>,
): void {
  let uuid = '';
  let status = '';

  beforeAll(async () => {
    const image = await ownedImage(rkt.path(`${flavour}.aci`));
    const saved = rkt.path(flavour);
    const apps = APPS.flatMap(({ name, flags, script }) => [
      ...[image, `--name=${name}`, MEMORY, ...flags, '--exec=/bin/sh'],
      ...['--', '-c', `exec 2>&1; ${script}`, '---'],
    ]);
    const pod = ['run', '--net=none', `--stage1-path=${stage1}`, ...variant, `--uuid-file-save=${saved}`];
    await rkt.run([...pod, ...SYSCTLS, ...apps.slice(0, -1)], { timeoutSeconds: 600 });
    uuid = savedUuid(saved) ?? '';
    status = await rkt.output(['status', uuid]);
  });

  test.each(CONFINEMENT)('$name', async ({ name, output }) => {
    const seen = await rkt.output(['logs', `--app=${name}`, uuid]);
    if (typeof output === 'string') expect(seen).toBe(output);
    else expect(seen).toMatch(output);
    expect(status).toMatch(new RegExp(`^app-${name}=0$`, 'm'));
  });

  test('memory: out of it is one app, which alone is killed for it', async () => {
    expect(await rkt.output(['logs', '--app=greedy', uuid])).toBe('begins\n');
    expect(status).toMatch(new RegExp(`^app-greedy=${KILLED}$`, 'm'));
    expect(status.match(/^app-.*-oom-killed=true$/gm)).toEqual(['app-greedy-oom-killed=true']);
    expect(await rkt.output(['logs', '--app=neighbour', uuid])).toMatch(/^ends$/m);
    expect(status).toMatch(/^app-neighbour=0$/m);
  });
}
