/** The bare tap: a machine as a pod's, whose only device is a network card on a tap of this namespace; and who takes loads here. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { compileProgram } from '../../tools/compile.ts';
import { run } from '../../tools/engine.ts';
import { rootDir } from '../../tools/paths.ts';
import { BARE_MIB, bareMachine, floorDirectory } from './machine.ts';
import { BARE_HOST } from './network-addresses.ts';
import { REQUESTS, STREAM_BYTES } from './network-load.ts';

const TAP = 'bench-tap';

export interface LoadTimes {
  readonly megabytesPerSecond: number;
  readonly requestsPerSecond: number;
}

/** Takes one load after the other. */
export class LoadServer {
  private constructor(readonly program: string) {}

  static async prepare(): Promise<LoadServer> {
    return new LoadServer(await compile('network-server'));
  }

  /** The times of the load that `action` makes come to this namespace, or to the one that the command `entering` enters. */
  async measure(action: () => Promise<unknown>, entering: readonly string[] = []): Promise<LoadTimes> {
    const [file = '', ...args] = [...entering, this.program];
    const server = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const lines = createInterface(server.stdout)[Symbol.asyncIterator]();
    try {
      if ((await lines.next()).value !== 'listens') throw new Error('the server does not listen');
      await action();
      const { value = '' } = await lines.next();
      const [stream = Number.NaN, questions = Number.NaN] = String(value).split(' ').map(Number);
      return {
        megabytesPerSecond: STREAM_BYTES / 1e3 / stream,
        requestsPerSecond: (REQUESTS * 1e3) / questions,
      };
    } finally {
      await end(server);
    }
  }
}

export class BareTap {
  private constructor(private readonly machine: readonly string[]) {}

  static async prepare(): Promise<BareTap> {
    return new BareTap(await bareMachine('network-init'));
  }

  async measure(server: LoadServer): Promise<LoadTimes> {
    await run('ip', ['tuntap', 'add', TAP, 'mode', 'tap', 'vnet_hdr'], rootDir);
    await run('ip', ['addr', 'add', `${BARE_HOST}/24`, 'dev', TAP], rootDir);
    await run('ip', ['link', 'set', TAP, 'up'], rootDir);
    try {
      return await server.measure(() => this.#boot());
    } finally {
      await run('ip', ['link', 'del', TAP], rootDir);
    }
  }

  async #boot(): Promise<void> {
    const vhost = existsSync('/dev/vhost-net') ? ',vhost=on' : '';
    const [file = '', ...args] = [
      ...this.machine,
      // Its memory is shared with other processes, as a pod's is: what a card's data is copied from and to.
      ...['-machine', 'memory-backend=ram'],
      ...['-object', `memory-backend-memfd,id=ram,size=${BARE_MIB}M,share=on`],
      ...['-netdev', `tap,id=net,ifname=${TAP},script=no,downscript=no${vhost}`],
      ...['-device', 'virtio-net-pci,netdev=net,romfile='],
    ];
    const machine = spawn(file, args, { stdio: ['ignore', 'ignore', 'inherit'] });
    const [code] = await once(machine, 'exit');
    if (code !== 0) throw new Error(`qemu has ended with ${code}`);
  }
}

/** The path of a program beside this one. */
export function compile(name: string): Promise<string> {
  const entry = `${rootDir}/bench/floor/${name}.ts`;
  return compileProgram({ entry, name, outDir: floorDirectory });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}
