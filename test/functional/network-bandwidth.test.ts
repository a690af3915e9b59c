import { beforeAll, describe, expect, test } from 'vitest';
import { writeFileImage } from '../support/file-image.ts';
import { FLAVOURS } from '../support/flavours.ts';
import { tinyImages } from '../support/images.ts';
import { question, useSite } from '../support/network-site.ts';
import { peerDirectory } from '../support/peer-program.ts';

// How fast a pod may send and receive, by `resource/network-bandwidth`.

const site = useSite();
const RATE = 400_000;
/** What may go at once is a sixth of it. */
const BYTES = 800_000;
/** Of what is left when the burst has gone: 1600 ms, and something for clocks. */
const LEAST_MS = 1500;

const RANGES = [[{ subnet: '10.95.0.0/24' }]];
let image = '';

beforeAll(async () => {
  site.now.network('50-lane.conflist', {
    ...{ cniVersion: '1.0.0', name: 'lane' },
    plugins: [{ type: 'ptp', ipam: { type: 'host-local', ranges: RANGES } }],
  });
  const isolators = [{ name: 'resource/network-bandwidth', value: { default: true, limit: `${RATE}` } }];
  image = await writeFileImage(site.now.rkt.path('slow.aci'), {
    ...{ name: 'example.com/slow', exec: ['/files/peer', 'serve', '80'], files: await peerDirectory() },
    ...{ ports: [{ name: 'www', protocol: 'tcp', port: 80 }], isolators },
  });
});

describe.each(FLAVOURS)('$name', ({ name, image: stage1 }) => {
  test('a pod neither sends nor receives faster than it may', async () => {
    const { host } = site.now;
    const flags = [`--stage1-path=${stage1}`, '--net=lane', '--strict-isolators'];
    const pod = await (await site.now.run(...flags, image)).served();
    const address = /10\.95\.0\.\d+/.exec(await site.now.rkt.output(['status', pod.uuid]))?.[0];
    const server = question(`tcp ${address} 80`);
    const takes = async (action: () => Promise<unknown>) => {
      const began = performance.now();
      await action();
      return performance.now() - began;
    };
    expect(await takes(() => host.ask({ do: 'ask', ...server, send: BYTES }))).toBeGreaterThan(LEAST_MS);
    expect(await takes(() => host.ask({ do: 'ask', ...server, receive: BYTES }))).toBeGreaterThan(LEAST_MS);
    const links = await pod.shell('ip -o link');
    expect(/rkt-in/.test(links)).toBe(name === 'stage1-ns');
    expect(await pod.end()).toBe(143);
  });

  test('a flag bounds all apps of a pod together, whatever one of them has', async () => {
    const { host } = site.now;
    const other = [(await tinyImages()).aci.plain, '--exec=/bin/sleep', '--', '1000'];
    const flags = [
      `--stage1-path=${stage1}`,
      '--net=lane',
      `--network-bandwidth=${RATE}`,
      '--strict-isolators',
    ];
    const peer = await site.now.peerImage();
    const pod = await (await site.now.run(...flags, peer, ...other)).served();
    const address = /10\.95\.0\.\d+/.exec(await site.now.rkt.output(['status', pod.uuid]))?.[0];
    const began = performance.now();
    await host.ask({ do: 'ask', ...question(`tcp ${address} 80`), receive: BYTES });
    expect(performance.now() - began).toBeGreaterThan(LEAST_MS);
    expect(await pod.end()).toBe(143);
  });

  test('on the network of its host it cannot be bounded: that is said, or refused', async () => {
    const { rkt } = site.now;
    const app = ['--exec=/bin/true'];
    const args = [`--stage1-path=${stage1}`, '--net=host', image, ...app];
    const line = 'run: pod: resource/network-bandwidth could not be set: the network is the host’s\n';
    const said = await rkt.run(['run', ...args]);
    expect(said.code).toBe(0);
    expect(said.stderr).toContain(line);
    expect((await rkt.run(['run', '--strict-isolators', ...args])).code).toBe(254);
    const other = (await tinyImages()).aci.plain;
    const several = ['run', `--stage1-path=${stage1}`, '--net=lane', image, ...app, other, ...app];
    const partly =
      'app slow: isolator resource/network-bandwidth is not enforced: the pod is bounded as a whole';
    expect((await rkt.run(several)).stderr).toContain(partly);
  });
});
