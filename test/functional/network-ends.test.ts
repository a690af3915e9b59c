import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { tinyImages } from '../support/images.ts';
import { leftOfPods } from '../support/network-look.ts';
import { installShellPlugin, useSite } from '../support/network-site.ts';

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

test('what a plugin did not take away is tried again by who removes the pod, and stays known after that', async () => {
  const { rkt, host } = site.now;
  installShellPlugin(site.now);
  const plugins = [{ type: 'cable', kind: 'stuck' }];
  site.now.network('50-stuck.conflist', { cniVersion: '1.0.0', name: 'stuck', plugins });
  const { aci } = await tinyImages();
  const { code, stderr } = await rkt.run(['run', '--rm', '--net=default,stuck', aci.plain]);
  expect(code).toBe(0);
  expect(stderr).toContain('the cable is stuck (code 124): left to gc');
  expect(stderr).toMatch(/is not removed: .* the cable is stuck \(code 124\)/);
  await host.run('touch', '/run/cable.loose');
  await rkt.output(['gc', '--grace-period=0s']);
  expect(await rkt.list()).toEqual([]);
});
