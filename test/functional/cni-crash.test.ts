import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PLUGIN_SETS } from '../support/cni-chain.ts';
import type { Output } from '../support/network-host.ts';
import { leftOn, linksOf } from '../support/network-look.ts';
import { withMachines } from '../support/network-machines.ts';

const [{ directory }] = PLUGIN_SETS;
const LOG = '/run/system-calls';
/** Those that leave something: files, the kernel's tables, and the namespace that the process is in. */
const CALLS = ['openat', 'write', 'renameat2', 'unlinkat', 'setns', 'mkdirat', 'flock'];

interface Point {
  readonly call: string;
  readonly nth: number;
}

const ipam = {
  type: 'host-local',
  ranges: [[{ subnet: '10.1.2.0/24' }], [{ subnet: 'fd00:1::/64' }]],
  routes: [{ dst: '0.0.0.0/0' }],
};

test.each([
  { type: 'ptp', ipMasq: true, ipam },
  { type: 'bridge', bridge: 'br1', isGateway: true, ipMasq: true, ipam },
])(
  '$type: killed at any system call of ADD or DEL, it leaves nothing that DEL does not take away',
  (config) =>
    withMachines(async ({ host, container }) => {
      const run = (command: string, before: readonly string[] = []): Promise<Output> =>
        host.try(
          [...before, join(directory, config.type)],
          JSON.stringify({ cniVersion: '1.0.0', name: 'tested', ...config }),
          {
            CNI_COMMAND: command,
            CNI_CONTAINERID: 'container1',
            CNI_NETNS: container.netns,
            CNI_IFNAME: 'eth0',
            CNI_PATH: directory,
          },
        );
      const must = async (command: string) => expect(await run(command)).toMatchObject({ exitCode: 0 });
      const record = async (command: string): Promise<Point[]> => {
        const recorded = await run(command, ['strace', '-qq', '-o', LOG, '-e', `trace=${CALLS}`]);
        expect(recorded).toMatchObject({ exitCode: 0 });
        return pointsOf(await host.run('cat', LOG));
      };
      const kill = (command: string, { call, nth }: Point) =>
        run(command, [
          'strace',
          '-qq',
          '-o',
          LOG,
          '-e',
          `trace=${call}`,
          '-e',
          `inject=${call}:signal=SIGKILL:when=${nth}`,
        ]);
      const nothing = async (point: Point) => {
        expect(await leftOn(host), JSON.stringify(point)).toEqual([]);
        expect(await linksOf(container), JSON.stringify(point)).toEqual([]);
      };

      await must('ADD'); // What stays, such as a bridge, is there from now on.
      await must('DEL');
      const adding = await record('ADD');
      const deleting = await record('DEL');
      expect(adding.length).toBeGreaterThan(40);
      let killed = 0;
      for (const point of adding) {
        killed += Number((await kill('ADD', point)).exitCode === undefined);
        await must('DEL');
        await nothing(point);
      }
      for (const point of deleting) {
        await must('ADD');
        killed += Number((await kill('DEL', point)).exitCode === undefined);
        await must('DEL');
        await nothing(point);
      }
      expect(killed).toBeGreaterThan(0.9 * (adding.length + deleting.length));
    }),
);

/** `openat(AT_FDCWD, ...`: of each call, how often it was made by then. */
function pointsOf(log: string): Point[] {
  const counts = new Map<string, number>();
  return log.split('\n').flatMap((line) => {
    const call = /^(\w+)\(/.exec(line)?.[1];
    if (call === undefined) return [];
    const nth = (counts.get(call) ?? 0) + 1;
    counts.set(call, nth);
    return [{ call, nth }];
  });
}
