import { beforeAll, describe, expect, test } from 'vitest';
import { VARIANTS } from '../support/flavours.ts';
import { tinyImages } from '../support/images.ts';
import { leftOfPods } from '../support/network-look.ts';
import { useSite } from '../support/network-site.ts';

// Many pods of a light flavour, some at a time, each on the default network: what each has taken of the host it gives back, which the
// site's end looks at.

const { RKT_TEST_SOAK } = process.env;
const PODS = RKT_TEST_SOAK === '1' ? 200 : 20;
const AT_ONCE = 8;

const site = useSite();
let image = '';
beforeAll(async () => {
  image = (await tinyImages()).aci.plain;
  await site.now.rkt.output(['fetch', image]);
});

const SEEN = [
  '$(hostname), $$, $(ls /proc | grep -c "^[0-9]")',
  '$(ip -o -4 addr show eth0 | tr -s " " | cut -d" " -f4)',
  '$(tr -s " " < /proc/self/uid_map)',
].join(', ');

describe.each(VARIANTS.filter(({ ownKernel }) => !ownKernel))('$name', ({ name, image: stage1, flags }) => {
  test(`${PODS} pods start and end, each as itself`, async () => {
    const { rkt, host } = site.now;
    const before = new Set((await rkt.list()).map((pod) => pod.name));
    const waiting = Array.from({ length: PODS }, (_, n) => n);
    const ends = new Map<number, { code: number; stdout: string; stderr: string }>();
    const runNext = async () => {
      for (let n = waiting.shift(); n !== undefined; n = waiting.shift()) {
        const app = [
          image,
          `--name=app-${n}`,
          '--exec=/bin/sh',
          '--',
          '-c',
          `echo pod ${n}: ${SEEN}; exit ${n % 7}`,
        ];
        const pod = ['run', `--stage1-path=${stage1}`, ...flags, `--hostname=host-${n}`];
        const { code, stdout, stderr } = await rkt.run([...pod, ...app]);
        ends.set(n, { code, stdout, stderr });
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, runNext));
    const maps: string[] = [];
    for (const [n, { code, stdout, stderr }] of ends) {
      // The first of them bring the stage1 into the store, for which others wait.
      expect({ n, code, stderr: stderr.replace(/^image: waiting for .*\n/gm, '') }).toEqual({
        n,
        code: n % 7,
        stderr: '',
      });
      // PID 1, the shell and what it counts with: nobody else's process is ever seen.
      const words = new RegExp(`^pod ${n}: host-${n}, 2, [2-6], 172\\.16\\.28\\.\\d+/24, (.*)\\n$`);
      expect(stdout).toMatch(words);
      maps.push(words.exec(stdout)?.[1]?.trim() ?? '');
    }
    expect(ends.size).toBe(PODS);
    expect(rkt.scope.processes()).toEqual([]);
    expect(rkt.scope.foreignCgroups()).toEqual([]);
    const pods = (await rkt.list()).filter((pod) => !before.has(pod.name));
    expect(pods.map(({ state }) => state)).toEqual(Array.from({ length: PODS }, () => 'exited'));
    expect(
      await leftOfPods(
        host,
        pods.map((pod) => pod.name),
      ),
    ).toEqual([]);
    // Pods that have ended keep their ids until they are removed: of all these no two have one in common.
    const own = maps.filter((map) => /^0 \d+ 65536$/.test(map));
    expect(new Set(own).size, name).toBe(flags.length === 0 ? 0 : PODS);
  }, 1_200_000);
});
