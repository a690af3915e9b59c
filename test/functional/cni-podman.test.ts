import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PLUGIN_SETS } from '../support/cni-chain.ts';
import { withMachines } from '../support/network-machines.ts';
import { eventually } from '../support/polling.ts';
import { tool } from '../support/tool.ts';

// Podman's own network of CNI: bridge, host-local, portmap, firewall and tuning, called by somebody else than our tests.

let directory = '';
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'rkt-podman-'));
  mkdirSync(join(directory, 'root/bin'), { recursive: true });
  copyFileSync('/bin/busybox', join(directory, 'root/bin/busybox'));
  await tool('tar', ['-C', join(directory, 'root'), '-cf', join(directory, 'root.tar'), '.']);
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const SERVER = { protocol: 'tcp', address: '::', port: 80 } as const;
/** What a container here may not raise. */
const LIMITS = ['--ulimit=nofile=1000:1000', '--ulimit=nproc=1000:1000'];

test.each(PLUGIN_SETS)('podman connects containers by the plugins of $of', ({ of, directory: plugins }) =>
  withMachines(async ({ outside, host }) => {
    const settings = [
      '[network]',
      'network_backend = "cni"',
      `cni_plugin_dirs = ["${plugins}"]`,
      'network_config_dir = "/run/networks"',
      '[engine]',
      'cgroup_manager = "cgroupfs"',
      'events_logger = "none"',
    ];
    const configuration = join(directory, 'containers.conf');
    writeFileSync(configuration, settings.join('\n'));
    const places = ['--root=/run/podman', '--runroot=/run/podman-run', '--storage-driver=vfs'];
    const podman = (...args: readonly string[]) =>
      host.run('env', `CONTAINERS_CONF=${configuration}`, 'podman', ...places, ...args);
    const start = (...args: readonly string[]) => podman('run', '--cgroups=disabled', ...LIMITS, ...args);
    await host.try(['mount', '-t', 'cgroup2', 'none', '/sys/fs/cgroup']);
    await podman('import', '-q', join(directory, 'root.tar'), 'busybox:1');
    await outside.ask({ do: 'serve', ...SERVER });

    const server = ['busybox:1', '/bin/busybox', 'httpd', '-f', '-p', '80'];
    await start('--detach', '--name=web', '--publish=8080:80', ...server);
    const answer = (machine: typeof host, address: string) =>
      eventually(`the web server answers at ${address}`, async () => {
        const text = await machine.ask({ do: 'ask', protocol: 'tcp', address, port: 8080 });
        return text.startsWith('HTTP/1.') && text;
      });
    expect(await answer(outside, '192.0.2.1')).toContain('400');
    expect(await answer(host, '127.0.0.1')).toContain('400');
    const asking = ['busybox:1', '/bin/busybox', 'sh', '-c', 'echo 0 0 | /bin/busybox nc 192.0.2.2 80'];
    expect(await start('--rm', ...asking)).toBe('192.0.2.1');
    await podman('rm', '--force', '--time=0', 'web');
    expect(await host.run('iptables-save')).not.toMatch(/10\.88\.0\.[23]/);
    if (of === 'rkt') expect(await host.run('nft', 'list', 'tables', 'inet')).toBe('');
    expect(await host.run('ip', 'link', 'show', 'type', 'veth')).not.toContain('master');
  }),
);
