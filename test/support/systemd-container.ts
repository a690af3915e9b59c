/**
 * A Debian with systemd as PID 1 in namespaces of this machine, for pods that are to run at this machine's pace: in a lab VM
 * theirs would be emulated twice. Its cgroups are of version 2, without controllers where this machine has none.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { execa } from 'execa';
import { TestSupportError } from './error.ts';
import { eventually } from './polling.ts';
import { containerRoot } from './systemd-container/root.ts';

export interface ContainerRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const BOOT_SECONDS = 240;
const NAMESPACES = ['--mount', '--pid', '--cgroup', '--uts', '--ipc', '--net'];
const DEVICES = ['null', 'zero', 'full', 'random', 'urandom', 'tty', 'net/tun', 'kvm'];

/** In new namespaces, with the root to copy and an empty directory. The copy is in memory, and goes with the namespaces. */
const ENTER = `
set -e
mount --make-rprivate /
mount -t tmpfs -o mode=755 tmpfs "$2"
cp -a "$1/." "$2"
cd "$2"
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs dev
mkdir dev/net dev/pts dev/shm
for device in ${DEVICES.join(' ')}; do
  test ! -e "/dev/$device" || { touch "dev/$device"; mount --bind "/dev/$device" "dev/$device"; }
done
ln -s /proc/self/fd dev/fd
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
mount -t tmpfs -o mode=1777 tmpfs dev/shm
mount -t tmpfs -o mode=755 tmpfs run
hostname container
mkdir old
pivot_root . old
umount -l old
rmdir old
exec env -i container=rkt-test PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --log-target=journal --unit=basic.target
`;

export async function startContainer(): Promise<SystemdContainer> {
  const container = new SystemdContainer();
  try {
    await container.boot(await containerRoot());
    return container;
  } catch (error) {
    container[Symbol.dispose]();
    throw error;
  }
}

export class SystemdContainer {
  readonly #directory = mkdtempSync(join(tmpdir(), 'rkt-container-'));
  readonly #cgroup = join(unifiedHierarchy(), basename(this.#directory));
  #unshare: ChildProcess | undefined;
  #pid = 0;
  #console = '';
  #ended = false;

  async boot(root: string): Promise<void> {
    mkdirSync(this.#cgroup);
    const enter = ['unshare', ...NAMESPACES, '--fork', '--kill-child=KILL', 'sh', '-c', ENTER, 'sh'];
    const join = 'echo $$ > "$0/cgroup.procs"; exec setpriv --pdeathsig KILL "$@"';
    const child = spawn('sh', ['-c', join, this.#cgroup, ...enter, root, this.#directory], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#unshare = child;
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        this.#console += chunk.toString();
      });
    child.once('close', () => {
      this.#ended = true;
    });
    await eventually('systemd is up in the container', () => this.#isUp(), BOOT_SECONDS).catch((cause) => {
      throw new TestSupportError('FIXTURE_FAILED', `no systemd in the container:\n${this.#console}`, {
        cause,
      });
    });
  }

  /** Runs a command as root, outside of any unit. */
  async run(argv: readonly string[], { seconds = 240, input = '' } = {}): Promise<ContainerRun> {
    const enter = ['--target', String(this.#pid), '--all', '--root', '--wd', '--', 'env', '-i'];
    const env = ['PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'HOME=/root', 'TERM=dumb', 'LC_ALL=C.UTF-8'];
    const options = { reject: false, stripFinalNewline: false, timeout: seconds * 1000, input } as const;
    const { exitCode, stdout, stderr, timedOut } = await execa(
      'nsenter',
      [...enter, ...env, ...argv],
      options,
    );
    if (timedOut)
      throw new TestSupportError('TIMEOUT', `not within ${seconds} s: ${argv.join(' ')}\n${stderr}`);
    return { code: exitCode ?? -1, stdout, stderr };
  }

  /** A shell script; throws unless it succeeds. Gives its standard output. */
  async sh(script: string, { seconds = 240 } = {}): Promise<string> {
    const { code, stdout, stderr } = await this.run(['sh', '-ec', script], { seconds });
    if (code === 0) return stdout;
    throw new TestSupportError('FIXTURE_FAILED', `in the container: ${script}: exit code ${code}\n${stderr}`);
  }

  /** The path by which this machine sees one of the container's. */
  outside(path: string): string {
    return `/proc/${this.#pid}/root${path}`;
  }

  put(path: string, content: string | Buffer, mode = 0o644): void {
    writeFileSync(this.outside(path), content, { mode });
  }

  [Symbol.dispose](): void {
    if (this.#pid !== 0 && !this.#ended) process.kill(this.#pid, 'SIGKILL');
    this.#unshare?.kill('SIGKILL');
    rmSync(this.#directory, { recursive: true, force: true });
  }

  /** When everything in it has ended. */
  async removed(): Promise<void> {
    this[Symbol.dispose]();
    await eventually('the container has ended', () => this.#ended && this.#removeCgroup());
  }

  async #isUp(): Promise<boolean> {
    if (this.#ended) throw new TestSupportError('FIXTURE_FAILED', 'it has ended');
    const unshare = this.#unshare?.pid ?? 0;
    this.#pid = Number(readFileSync(`/proc/${unshare}/task/${unshare}/children`, 'utf8'));
    if (this.#pid === 0 || readFileSync(`/proc/${this.#pid}/comm`, 'utf8') !== 'systemd\n') return false;
    return (await this.run(['systemctl', 'is-active', 'basic.target'])).code === 0;
  }

  #removeCgroup(): boolean {
    if (!existsSync(this.#cgroup)) return true;
    const below = readdirSync(this.#cgroup, { withFileTypes: true, recursive: true });
    const groups = below
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name));
    try {
      // What is below first.
      for (const path of [...groups.sort().reverse(), this.#cgroup]) rmdirSync(path);
      return true;
    } catch {
      return false;
    }
  }
}

function unifiedHierarchy(): string {
  const mounts = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' '));
  const path = mounts.find(([, , type]) => type === 'cgroup2')?.[1];
  if (path === undefined)
    throw new TestSupportError('MISSING_REQUIREMENT', 'no cgroup2 file system is mounted');
  return path;
}
