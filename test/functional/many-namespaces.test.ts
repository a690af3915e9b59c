import { beforeAll, describe, expect, test } from 'vitest';
import { FLAVOURS } from '../support/flavours.ts';
import { tinyImages } from '../support/images.ts';
import { useRkt } from '../support/rkt.ts';

// Many pods of a light flavour, some at a time: what each has taken of the host it gives back, which the home's end looks at.

const { RKT_TEST_SOAK } = process.env;
const PODS = RKT_TEST_SOAK === '1' ? 200 : 20;
const AT_ONCE = 8;

const rkt = useRkt();
let image = '';
beforeAll(async () => {
  image = (await tinyImages()).aci.plain;
  await rkt.output(['fetch', image]);
});

describe.each(FLAVOURS.filter(({ ownKernel }) => !ownKernel))('$name', ({ image: stage1 }) => {
  test(`${PODS} pods start and end, each as itself`, async () => {
    const waiting = Array.from({ length: PODS }, (_, n) => n);
    const ends = new Map<number, { code: number; stdout: string; stderr: string }>();
    const runNext = async () => {
      for (let n = waiting.shift(); n !== undefined; n = waiting.shift()) {
        const script = `echo pod ${n}: $(hostname), $$, $(ls /proc | grep -c "^[0-9]"); exit ${n % 7}`;
        const app = [image, `--name=app-${n}`, '--exec=/bin/sh', '--', '-c', script];
        const pod = ['run', '--net=none', `--stage1-path=${stage1}`, `--hostname=host-${n}`];
        const { code, stdout, stderr } = await rkt.run([...pod, ...app]);
        ends.set(n, { code, stdout, stderr });
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, runNext));
    for (const [n, { code, stdout, stderr }] of ends) {
      // The first of them bring the stage1 into the store, for which others wait.
      expect({ n, code, stderr: stderr.replace(/^image: waiting for .*\n/gm, '') }).toEqual({
        n,
        code: n % 7,
        stderr: '',
      });
      // PID 1, the shell and what it counts with: nobody else's process is ever seen.
      expect(stdout).toMatch(new RegExp(`^pod ${n}: host-${n}, 2, [2-5]\\n$`));
    }
    expect(ends.size).toBe(PODS);
    expect(rkt.scope.processes()).toEqual([]);
    expect(rkt.scope.foreignCgroups()).toEqual([]);
    const listed = await rkt.list();
    expect(listed.map(({ state }) => state)).toEqual(Array.from({ length: PODS }, () => 'exited'));
  }, 1_200_000);
});
