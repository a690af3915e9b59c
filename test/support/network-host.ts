import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { TestSupportError } from './error.ts';
import type { AgentAnswer, AgentRequest } from './network-agent.ts';

const AGENT = fileURLToPath(new URL('./network-agent.ts', import.meta.url));
/**
 * /sys shows the namespace's interfaces, and the machine's control groups; what plugins keep in /run and below /var/lib/cni ends with it. IPv6 addresses are there at once,
 * without a search for others who have them.
 */
const ENTER = `
mount -t tmpfs none /run && mkdir /run/cgroup && mount --rbind /sys/fs/cgroup /run/cgroup
mount -t sysfs none /sys && mount --move /run/cgroup /sys/fs/cgroup && rmdir /run/cgroup && mkdir -p /var/lib/cni && mount -t tmpfs none /var/lib/cni && ip link set lo up
for which in all default; do echo 0 > /proc/sys/net/ipv6/conf/$which/accept_dad; done
exec "$@"`;

export interface Output {
  readonly stdout: string;
  readonly exitCode: number | undefined;
}

export class BackgroundProgram implements AsyncDisposable {
  readonly #child: ChildProcess;
  /** What it has written so far. */
  output = '';

  constructor([program = '', ...args]: readonly string[]) {
    this.#child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on('data', (bytes: Buffer) => {
        this.output += bytes.toString();
      });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await ended;
  }
}

/** One machine's network, in namespaces that are gone when the test has ended: of the machine's own nothing is touched. */
export class NetworkHost implements AsyncDisposable {
  readonly #agent: ChildProcess;
  readonly #answers = new Map<number, (text: string) => void>();
  #last = 0;

  private constructor(agent: ChildProcess) {
    this.#agent = agent;
    agent.on('message', ({ id, text }: AgentAnswer) => this.#answers.get(id)?.(text));
  }

  static async start(): Promise<NetworkHost> {
    const argv = [
      '--net',
      '--mount',
      '/bin/sh',
      '-c',
      ENTER,
      'sh',
      process.execPath,
      '--import',
      'tsx',
      AGENT,
    ];
    const agent = spawn('unshare', argv, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    const ended = once(agent, 'exit').then(() => 'ended');
    if ((await Promise.race([once(agent, 'message'), ended])) === 'ended')
      throw new TestSupportError('FIXTURE_FAILED', 'a network of a test has not begun');
    return new NetworkHost(agent);
  }

  /** The path of its network namespace. */
  get netns(): string {
    return `/proc/${this.#agent.pid}/ns/net`;
  }

  /** The argv that runs a command in there. */
  enter(argv: readonly string[]): string[] {
    return ['nsenter', `--target=${this.#agent.pid}`, '--net', '--mount', '--', ...argv];
  }

  /** Whatever comes of it. */
  async try(
    argv: readonly string[],
    input = '',
    env: Readonly<Record<string, string>> = {},
  ): Promise<Output> {
    const [program = '', ...args] = this.enter(argv);
    const { stdout, exitCode } = await execa(program, args, {
      input,
      env,
      reject: false,
      timeout: 240_000,
    });
    return { stdout, exitCode };
  }

  /** Runs what has to succeed. */
  async run(...argv: readonly string[]): Promise<string> {
    const [program = '', ...args] = this.enter(argv);
    return (await execa(program, args, { timeout: 240_000 })).stdout;
  }

  /** `ip` for each line. */
  async ip(...lines: readonly string[]): Promise<void> {
    for (const line of lines) await this.run('ip', ...line.split(' '));
  }

  /** Something that goes on in there until it is disposed of. */
  start(...argv: readonly string[]): BackgroundProgram {
    return new BackgroundProgram(this.enter(argv));
  }

  ask(request: AgentRequest): Promise<string> {
    const id = ++this.#last;
    return new Promise((resolve) => {
      this.#answers.set(id, resolve);
      this.#agent.send({ ...request, id });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#agent, 'exit');
    this.#agent.disconnect();
    await ended;
  }
}
