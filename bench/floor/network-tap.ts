/**
 * The floor of a pod's network: the same pod, whose tap is the host's end itself. Its namespace has all that the app talks to, so nothing
 * that plugins have made lies between: no cable, no redirection, no bridge, no rules. QEMU, its confinement and its devices, the kernel, PID 1
 * and what an app may do are the pod's.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { POD } from '../../src/abi/pod-directory.ts';
import { run } from '../../tools/engine.ts';
import { rootDir } from '../../tools/paths.ts';
import type { BenchHome } from '../measure/home.ts';
import { timed } from '../measure/timed.ts';

const [TAP, OF_PLUGINS] = ['rkt-tap0', 'eth0'];

/** The pid of the only pod's supervisor, once its apps run. */
export async function readySupervisor(home: BenchHome): Promise<string> {
  const pods = join(home.dataDirectory, 'pods', 'run');
  const [uuid = ''] = readdirSync(pods);
  await timed(home.argv(['status', '--wait-ready', uuid]));
  return readFileSync(join(pods, uuid, POD.pid), 'utf8').trim();
}

/** Gives a running pod's tap the host's address of the network `subnet`; the command that enters the namespace where that is now. */
export async function leaveTapAlone(
  supervisor: string,
  { host, subnet }: { readonly host: string; readonly subnet: string },
): Promise<string[]> {
  const [enter, namespace] = ['nsenter', `--net=/proc/${supervisor}/ns/net`];
  // The guest has asked for it already, and goes on to send there.
  const mac = await hardwareAddress(host);
  for (const command of [
    `tc qdisc del dev ${TAP} ingress`,
    `ip link del ${OF_PLUGINS}`,
    `ip link set ${TAP} address ${mac}`,
    `ip addr add ${host} dev ${TAP}`,
    `ip route add ${subnet} dev ${TAP}`,
  ])
    await run(enter, [namespace, ...command.split(' ')], rootDir);
  return [enter, namespace];
}

async function hardwareAddress(address: string): Promise<string> {
  const text = await run('ip', ['-o', 'link', 'show', 'dev', await linkOf(address)], rootDir);
  const [, mac] = /link\/ether (\S+)/.exec(text) ?? [];
  if (mac === undefined) throw new Error(`no hardware address: ${text}`);
  return mac;
}

async function linkOf(address: string): Promise<string> {
  const text = await run('ip', ['-o', 'addr', 'show', 'to', address], rootDir);
  const [, name] = /^\d+: (\S+)/.exec(text) ?? [];
  if (name === undefined) throw new Error(`no interface has ${address}`);
  return name;
}
