/** Takes away the rules of the host's packet filters that are known to be a container's by its id. */
import { access } from '../../native/paths.ts';
import { chainsOf } from '../../net/chain-names.ts';
import { iptablesSweep, isWithoutRules, nftablesSweep } from '../../net/rule-sweep.ts';
import { SupervisorError } from '../error.ts';
import type { HostSide } from './host-side.ts';
import { runOnHost } from './program-run.ts';

const DIRECTORIES = ['/usr/sbin', '/sbin', '/usr/bin', '/bin'];
const LARGEST = 64 * 1024 * 1024;
const LIMIT_MILLISECONDS = 20_000;
/** Others change rules meanwhile, and what is taken away as a whole is then refused as a whole. */
const ATTEMPTS = 4;

/**
 * Those of the container on these networks, by each of the programs that the host has. `lock`: see `ProgramRun`.
 * @throws SupervisorError `network-failed`
 */
export function removeRules(host: HostSide, id: string, networks: readonly string[], lock: number): void {
  const chains = networks.flatMap((network) => chainsOf(network, id));
  for (const program of ['iptables', 'ip6tables'])
    removeBy(host, lock, {
      list: [`${program}-save`],
      change: [`${program}-restore`, '--noflush', '--wait'],
      plan: (saved) => iptablesSweep(saved, id, chains),
    });
  removeBy(host, lock, {
    list: ['nft', '-a', 'list', 'ruleset'],
    change: ['nft', '-f', '-'],
    plan: (listed) => nftablesSweep(listed, id).join('\n'),
  });
}

interface Removal {
  readonly list: readonly [string, ...string[]];
  readonly change: readonly [string, ...string[]];
  readonly plan: (listed: string) => string;
}

function removeBy(host: HostSide, lock: number, { list, change, plan }: Removal): void {
  for (let attempt = 1; ; attempt++) {
    const listed = tool(host, lock, list, '');
    // A host without the program, or whose kernel has no such rules, has none of it.
    if (listed === undefined) return;
    const input = plan(listed);
    if (input === '') return;
    try {
      tool(host, lock, change, `${input}\n`);
      return;
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
    }
  }
}

function tool(
  host: HostSide,
  lock: number,
  argv: readonly [string, ...string[]],
  input: string,
): string | undefined {
  const [name, ...args] = argv;
  const path = host.inMounts(() =>
    DIRECTORIES.map((directory) => `${directory}/${name}`).find((file) => access(file, 'execute')),
  );
  if (path === undefined) return undefined;
  const environment = [`PATH=${DIRECTORIES.join(':')}`, 'LC_ALL=C'];
  const run = { path, args, environment, input, most: LARGEST, limit: LIMIT_MILLISECONDS, lock };
  const { exit, output, words } = runOnHost(host, run);
  if (exit?.kind === 'exited' && exit.code === 0) return output;
  if (exit !== undefined && isWithoutRules(words)) return undefined;
  throw new SupervisorError('network-failed', `${argv.join(' ')}: ${words === '' ? 'no answer' : words}`);
}
