import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { leftOfPods } from '../support/network-look.ts';
import { useSite } from '../support/network-site.ts';

// How a pod leaves its networks.

const site = useSite();

test('a file of its directory that cannot be taken away keeps nothing else that is outside of the pod', async () => {
  const { rkt, host } = site.now;
  const pod = await site.now.pod('--net=default', '--port=8080:80');
  const file = join(rkt.dir, 'pods/run', pod.uuid, 'net-info.json');
  rmSync(file);
  mkdirSync(file);
  expect(await pod.end()).not.toBe(254);
  expect(await leftOfPods(host, [pod.uuid])).toEqual([]);
  expect(pod.command.stderr).toContain('net-info.json');
});
