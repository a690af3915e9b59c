import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Certificate } from './certificates.ts';
import { TestSupportError } from './error.ts';
import { type Answer, ScriptedServer } from './scripted-server.ts';

const LISTENER = fileURLToPath(new URL('./port-listener.ts', import.meta.url));
const PORTS = { http: 80, https: 443 } as const;
const ENTER = 'ip link set lo up && mount --bind "$0" /etc/hosts && exec "$@"';

/**
 * A network where names are whose a test says, on the ports that names have: namespaces of one process, of which nobody else sees
 * anything, and which the kernel ends with it. The servers' answers are made in the test itself.
 */
export class PrivateNetwork implements AsyncDisposable {
  readonly #directory: string;
  readonly #child: ChildProcess;
  readonly #servers: ScriptedServer[] = [];

  private constructor(directory: string, child: ChildProcess) {
    this.#directory = directory;
    this.#child = child;
  }

  /** All of these names are the network's one machine, and there are no others. */
  static async start(names: readonly string[]): Promise<PrivateNetwork> {
    const directory = mkdtempSync(join(tmpdir(), 'rkt-network-'));
    const hosts = join(directory, 'hosts');
    writeFileSync(hosts, ['localhost', ...names].map((name) => `127.0.0.1 ${name}\n`).join(''));
    const listener = [process.execPath, '--import', 'tsx', LISTENER];
    const child = spawn('unshare', ['--net', '--mount', '/bin/sh', '-c', ENTER, hosts, ...listener], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    await messageOf(child);
    return new PrivateNetwork(directory, child);
  }

  /** The argv that runs a command in there. */
  enter(argv: readonly string[]): string[] {
    return ['nsenter', `--target=${this.#child.pid}`, '--net', '--mount', '--', ...argv];
  }

  /** Serves https where there is a certificate, else http; on the port that names without a port mean, or on another. */
  async serve(answer: Answer, certificate?: Certificate, port?: number): Promise<ScriptedServer> {
    this.#child.send(port ?? (certificate === undefined ? PORTS.http : PORTS.https));
    const [, listener] = await messageOf(this.#child);
    if (!(listener instanceof Server))
      throw new TestSupportError('FIXTURE_FAILED', 'no port came from the network');
    const server = await ScriptedServer.start(answer, certificate, listener);
    this.#servers.push(server);
    return server;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.close()));
    const ended = once(this.#child, 'exit');
    this.#child.disconnect();
    await ended;
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** A message with what it carries; that the child ends instead is an error. */
async function messageOf(child: ChildProcess): Promise<unknown[]> {
  const ended = new AbortController();
  const exit = once(child, 'exit', { signal: ended.signal }).then(
    () => Promise.reject(new TestSupportError('FIXTURE_FAILED', 'the private network has ended')),
    () => [],
  );
  try {
    return await Promise.race([once(child, 'message'), exit]);
  } finally {
    ended.abort();
  }
}
