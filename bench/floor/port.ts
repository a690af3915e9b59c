/** The bare port: a machine as a pod's, whose init does nothing but write to its data port, and a reader of the supervisor's kind. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { CONTROL_PORT, DATA_PORT } from '../../src/abi/guest.ts';
import { compileProgram } from '../../tools/compile.ts';
import { run } from '../../tools/engine.ts';
import { rootDir } from '../../tools/paths.ts';
import { bareMachine, floorDirectory } from './machine.ts';

export class BarePort {
  readonly #machine: readonly string[];
  readonly #reader: string;

  private constructor(machine: readonly string[], reader: string) {
    this.#machine = machine;
    this.#reader = reader;
  }

  static async prepare(): Promise<BarePort> {
    const machine = await bareMachine('port-writer');
    const entry = join(rootDir, 'bench', 'floor', 'port-reader.ts');
    return new BarePort(
      machine,
      await compileProgram({ entry, name: 'port-reader', outDir: floorDirectory }),
    );
  }

  /** Milliseconds from the first byte to the last. */
  async measure(): Promise<number> {
    const sockets = mkdtempSync(join(tmpdir(), 'rkt-bench-port-'));
    const path = (name: string) => join(sockets, name);
    const port = (name: string, nr: number, called: string) => [
      ...['-chardev', `socket,id=${name},path=${path(name)},server=on,wait=on`],
      ...['-device', `virtserialport,bus=ports.0,nr=${nr},chardev=${name},name=${called}`],
    ];
    const [file = '', ...args] = [
      ...this.#machine,
      ...['-device', 'virtio-serial-pci,id=ports,max_ports=3'],
      ...port('control', 1, CONTROL_PORT),
      ...port('data', 2, DATA_PORT),
    ];
    const machine = spawn(file, args, { stdio: ['ignore', 'inherit', 'inherit'] });
    const ended = once(machine, 'exit');
    try {
      // It waits for one after the other.
      await until(machine, path('control'));
      const control = await connected(path('control'));
      await until(machine, path('data'));
      const milliseconds = Number(await run(this.#reader, [path('data')], sockets));
      control.destroy();
      return milliseconds;
    } finally {
      machine.kill('SIGKILL');
      await ended;
      rmSync(sockets, { recursive: true });
    }
  }
}

/** QEMU names its socket before it listens there. */
async function connected(path: string): Promise<Socket> {
  for (;;) {
    const socket = connect(path);
    try {
      await once(socket, 'connect');
      return socket.on('error', () => {});
    } catch {
      await delay(5);
    }
  }
}

async function until(machine: ChildProcess, path: string): Promise<void> {
  while (!existsSync(path)) {
    if (machine.exitCode !== null) throw new Error(`qemu has ended with ${machine.exitCode}`);
    await delay(5);
  }
}
