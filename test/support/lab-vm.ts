/**
 * A machine for what this one's kernel may lack: cgroup v2 with all controllers, under a real systemd. It is emulated,
 * so it runs wherever the tests do, and is thrown away after.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseCpuInfo } from '../../stage1-kvm/accelerator.ts';
import { buildKernel } from '../../tools/kernel.ts';
import { buildDir } from '../../tools/paths.ts';
import { TestSupportError } from './error.ts';
import { READY, SHARES } from './lab-vm/files.ts';
import {
  agentSocket,
  qemuArguments,
  type Share,
  shareSocket,
  type VirtiofsdKind,
  virtiofsdArguments,
} from './lab-vm/machine.ts';
import { labRoot } from './lab-vm/root.ts';
import { eventually } from './polling.ts';

export interface LabRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const BOOT_SECONDS = 400;
const CONSOLE_LINES = 40;
const VIRTIOFSD: readonly { readonly kind: VirtiofsdKind; readonly path: string }[] = [
  { kind: 'rust', path: '/usr/libexec/virtiofsd' },
  { kind: 'c', path: '/usr/lib/qemu/virtiofsd' },
];

export interface LabOptions {
  readonly memoryMegabytes?: number;
  /** To be mounted in there by their tags. */
  readonly shares?: readonly Share[];
}

/** Boots one; the build folder is at /build in it. The first time makes its root file system, which takes a minute. */
export async function bootLabVm({
  memoryMegabytes = 512,
  shares: more = [],
}: LabOptions = {}): Promise<LabVm> {
  const [root, kernel] = [await labRoot(), await buildKernel()];
  const directory = mkdtempSync(join(tmpdir(), 'rkt-lab-'));
  const exchange = join(directory, 'exchange');
  mkdirSync(exchange);
  const shares: Share[] = [
    { tag: SHARES.root, directory: root, constant: true },
    { tag: SHARES.build, directory: buildDir, constant: true },
    { tag: SHARES.exchange, directory: exchange, constant: false },
    ...more,
  ];
  const vm = new LabVm(directory, exchange);
  try {
    const { kilohertz } = parseCpuInfo(readFileSync('/proc/cpuinfo', 'utf8'));
    const vmlinux = join(buildDir, 'kernel', kernel.key, 'vmlinux');
    await vm.boot({ vmlinux, memoryMegabytes, tscKilohertz: kilohertz, directory }, shares);
    return vm;
  } catch (error) {
    vm[Symbol.dispose]();
    throw error;
  }
}

export class LabVm {
  readonly #children: ChildProcess[] = [];
  readonly #answers = new Map<string, (code: number) => void>();
  readonly #server: Server;
  #agent: Socket | undefined;
  #console = '';
  #ready = false;
  #ended: string | undefined;
  #runs = 0;

  constructor(
    private readonly directory: string,
    private readonly exchange: string,
  ) {
    this.#server = createServer((socket) => this.#serve(socket));
  }

  async boot(machine: Parameters<typeof qemuArguments>[0], shares: readonly Share[]): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(agentSocket(this.directory), resolve));
    const virtiofsd = VIRTIOFSD.find(({ path }) => existsSync(path));
    if (virtiofsd === undefined)
      throw new TestSupportError('MISSING_REQUIREMENT', 'no virtiofsd: apt-get install virtiofsd');
    for (const share of shares)
      this.#start(virtiofsd.path, virtiofsdArguments(virtiofsd.kind, this.directory, share), 'ignore');
    for (const share of shares)
      await eventually(`virtiofsd of ${share.tag}`, () => existsSync(shareSocket(this.directory, share)));
    const qemu = this.#start('qemu-system-x86_64', qemuArguments(machine, shares), 'pipe');
    for (const stream of [qemu.stdout, qemu.stderr])
      stream?.on('data', (chunk: Buffer) => {
        this.#console += chunk.toString();
      });
    qemu.once('close', (code, signal) => {
      this.#ended = `it ended with ${code ?? signal}`;
    });
    await this.#until('the machine is up', () => this.#ready, BOOT_SECONDS);
  }

  /** Runs a command as root in a service's cgroup, with an empty standard input. */
  async run(argv: readonly string[], { seconds = 240 } = {}): Promise<LabRun> {
    const name = String(++this.#runs);
    const place = join(this.exchange, name);
    mkdirSync(place);
    writeFileSync(join(place, 'command'), `exec ${argv.map(quoted).join(' ')}\n`);
    let code: number | undefined;
    this.#answers.set(name, (answer) => {
      code = answer;
    });
    this.#agent?.write(`${name}\n`);
    await this.#until(`${argv.join(' ')} ends`, () => code !== undefined, seconds);
    const output = (file: string) => readFileSync(join(place, file), 'utf8');
    return { code: code ?? -1, stdout: output('stdout'), stderr: output('stderr') };
  }

  /** A shell script; throws unless it succeeds. Gives its standard output. */
  async sh(script: string, { seconds = 240 } = {}): Promise<string> {
    const { code, stdout, stderr } = await this.run(['sh', '-ec', script], { seconds });
    if (code === 0) return stdout;
    throw new TestSupportError('FIXTURE_FAILED', `in the lab: ${script}: exit code ${code}\n${stderr}`);
  }

  [Symbol.dispose](): void {
    for (const child of this.#children) child.kill('SIGKILL');
    this.#agent?.destroy();
    this.#server.close();
    rmSync(this.directory, { recursive: true, force: true });
  }

  async #until(what: string, isSo: () => boolean, seconds: number): Promise<void> {
    const done = () => this.#ended !== undefined || isSo();
    await eventually(what, done, seconds).catch((cause: unknown) => {
      throw new TestSupportError('TIMEOUT', this.#lament(`not within ${seconds} s: ${what}`), { cause });
    });
    if (!isSo()) throw new TestSupportError('FIXTURE_FAILED', this.#lament(`${this.#ended} before ${what}`));
  }

  #lament(problem: string): string {
    const lines = this.#console.trimEnd().split('\n').slice(-CONSOLE_LINES);
    return `lab machine: ${problem}\nits console:\n  ${lines.join('\n  ')}`;
  }

  #serve(socket: Socket): void {
    this.#agent = socket;
    let text = '';
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      const lines = (text + chunk.toString()).split('\n');
      text = lines.pop() ?? '';
      for (const line of lines) this.#hear(line);
    });
  }

  #hear(line: string): void {
    const [name = '', code] = line.split(' ');
    if (name === READY) this.#ready = true;
    else this.#answers.get(name)?.(Number(code));
  }

  // By setpriv, so that nothing outlives a test runner that was killed.
  #start(program: string, args: readonly string[], output: 'pipe' | 'ignore'): ChildProcess {
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', program, ...args], {
      stdio: ['ignore', output, output],
    });
    child.once('error', (cause) => {
      this.#ended = `cannot start ${program}: ${cause.message}`;
    });
    this.#children.push(child);
    return child;
  }
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
