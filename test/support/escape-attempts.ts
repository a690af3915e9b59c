import { type Call, shellCalls } from './calls-program.ts';

/** What there is of the host to be reached. */
export interface HostMarks {
  /** A file that everybody may read. */
  readonly file: string;
  readonly pid: number;
  /** The disk of that file. */
  readonly disk: { readonly major: number; readonly minor: number };
  /** Where a process listens, an abstract name. */
  readonly socket: string;
}

export interface Attempt {
  readonly what: string;
  /** For an app's shell. What it prints says how it ended, and is the same each time. */
  readonly script: string;
  readonly outcome: string | RegExp;
  /** What comes of it where an app has no filter, and only its capabilities stand in its way; by default the same. */
  readonly unfiltered?: string | RegExp;
}

const AT_FDCWD = -100;
const O_PATH_DIRECTORY = 0o10200000;
const [MS_REMOUNT_BIND, MNT_DETACH] = [0x1020, 2];
const [NEWNS, NEWCGROUP, NEWUSER, NEWPID] = [0x20000, 0x2000000, 0x10000000, 0x20000000];
const AF_VSOCK = 40;
const PTRACE_SEIZE = 0x4206;
/** One byte, anywhere. */
const VECTOR = `hex:${'00004000'.padEnd(16, '0')}${'01'.padEnd(16, '0')}`;
/** Of eight bytes, of the first kind: what opens any file of a file system. */
const FILE_HANDLE = `hex:${'08000000'}${'01000000'}${'02'.padEnd(16, '0')}`;
const KEYRING_OF_USER = -4;
const [KEY_DESCRIBE, KEY_READ] = [6, 11];

/** Each of them refused, for want of a capability or by the filter. */
function refused(what: string, ...calls: Call[]): Attempt {
  // Kernels differ in which calls they have; the filter does not.
  const unfiltered = new RegExp(`^((EPERM|ENOSYS)\\n){${calls.length}}$`);
  return { what, script: shellCalls(...calls), outcome: lines(calls.map(() => 'EPERM')), unfiltered };
}

/** Files that are written to, or opened for it, and are not. */
function notWritable(what: string, ...files: string[]): Attempt {
  const tries = files.map((file) => `echo 1 2>/dev/null > ${file} && echo wrote ${file}`);
  return { what, script: `${tries.join('; ')}; echo tried`, outcome: 'tried\n' };
}

const lines = (words: readonly string[]) => words.map((word) => `${word}\n`).join('');

/** Ways out of a pod in namespaces that its root with rkt's capabilities might take, and where they lead. */
export function escapeAttempts({ file, pid, disk, socket }: HostMarks): Attempt[] {
  const { major, minor } = disk;
  return [
    refused(
      'mounts: new ones, and changes of what is mounted',
      ['mount', 'none', '/tmp', 'tmpfs', 0, ''],
      ['mount', '/', '/tmp', '', 4096, 0],
      ['mount', 'none', '/proc/sys', '', MS_REMOUNT_BIND, 0],
      ['umount2', '/proc/keys', MNT_DETACH],
      ['umount2', '/proc/sys', MNT_DETACH],
      ['pivot_root', '/tmp', '/tmp'],
      ['fsopen', 'tmpfs', 0],
      ['open_tree', AT_FDCWD, '/', 1],
      ['mount_setattr', AT_FDCWD, '/proc/sys', 0, `hex:${'01'.padEnd(64, '0').replace('01', '00')}`, 32],
    ),
    {
      what: 'mounts: a name space of PID 1',
      script:
        'for kind in mnt pid net cgroup user; do cat /proc/1/ns/$kind > /dev/null || echo refused; done 2>/dev/null',
      outcome: 'refused\n'.repeat(5),
    },
    {
      what: 'mounts: namespaces of its own',
      script: shellCalls(['unshare', NEWNS], ['unshare', NEWCGROUP], ['unshare', NEWPID]),
      outcome: lines(['EPERM', 'EPERM', 'EPERM']),
    },
    {
      what: 'mounts: a user namespace of its own',
      script: shellCalls(
        ['unshare', NEWUSER + NEWNS],
        ['umount2', '/proc/keys', MNT_DETACH],
        ['umount2', '/proc/sys', MNT_DETACH],
        ['mount', 'none', '/proc/sys', '', MS_REMOUNT_BIND, 0],
        ['mount', 'proc', '/tmp', 'proc', 0, 0],
        ['mount', 'sysfs', '/tmp', 'sysfs', 0, 0],
        ['mount', 'cgroup', '/tmp', 'cgroup', 0, 'memory'],
        ['mount', 'cgroup', '/tmp', 'cgroup2', 0, 0],
      ),
      outcome: lines(Array.from({ length: 8 }, () => 'EPERM')),
      // What is mounted over others belongs together there.
      unfiltered: lines(['ok', 'EINVAL', 'EINVAL', 'EPERM', 'EPERM', 'EPERM', 'EPERM', 'EPERM']),
    },
    {
      what: 'files: the way up from a root that it has left',
      script: [
        'mkdir -p /tmp/below',
        shellCalls(
          ['openat', AT_FDCWD, '/', O_PATH_DIRECTORY],
          ['chroot', '/tmp/below'],
          ['fchdir', 3],
          ...Array.from({ length: 12 }, () => ['chdir', '..'] as const),
          ['chroot', '.'],
          ['faccessat', AT_FDCWD, '/files/call', 0],
          ['faccessat', AT_FDCWD, file, 0],
        ),
      ].join('; '),
      outcome: lines([...Array.from({ length: 17 }, () => 'ok'), 'ENOENT']),
    },
    {
      what: 'files: through processes of the pod, and of the host',
      script: `for process in 1 self ${pid}; do for way in root cwd root/proc/1/root; do cat /proc/$process/$way${file}; done; done 2>&1 | grep -v 'can.t open'; echo tried`,
      outcome: 'tried\n',
    },
    refused('files: by their numbers on the disk', ['open_by_handle_at', AT_FDCWD, FILE_HANDLE, 0]),
    {
      what: 'devices: nodes that it makes, wherever it may',
      script: [
        'for directory in / /tmp /dev /dev/shm /etc; do',
        `node=$directory/node; for device in 'b ${major} ${minor}' 'c 1 1' 'c 1 11' 'c 10 229'; do`,
        'mknod $node $device && dd if=$node of=/dev/null bs=1 count=1 && echo read $directory $device;',
        'mknod $node $device && dd of=$node if=/dev/null bs=1 count=0 && echo wrote $directory $device;',
        'rm -f $node; done; done 2>/dev/null; echo tried',
      ].join(' '),
      outcome: 'tried\n',
    },
    {
      what: 'devices: those that it has',
      script: 'find / -xdev -type b; find /dev -type c | grep -v /pts/ | sort',
      outcome: lines(
        ['full', 'net/tun', 'null', 'random', 'tty', 'urandom', 'zero'].map((name) => `/dev/${name}`),
      ),
    },
    {
      what: 'devices: those that it has are not its to change',
      script:
        'chmod 600 /dev/null 2>/dev/null || echo refused; chown 1 /dev/null 2>/dev/null || echo refused',
      outcome: 'refused\nrefused\n',
    },
    {
      what: 'processes: of the host',
      script: `kill -0 ${pid} 2>/dev/null || echo none; ls -d /proc/${pid} 2>/dev/null || echo none`,
      outcome: 'none\nnone\n',
    },
    {
      what: 'processes: what PID 1 is, has and may',
      script: [
        shellCalls(
          ['ptrace', PTRACE_SEIZE, 1, 0, 0],
          ['process_vm_readv', 1, VECTOR, 1, VECTOR, 1, 0],
          ['process_vm_writev', 1, VECTOR, 1, VECTOR, 1, 0],
          ['pidfd_open', 1, 0],
          ['pidfd_getfd', 3, 3, 0],
        ),
        'for file in environ mem maps auxv; do head -c 1 /proc/1/$file || echo refused; done 2>/dev/null',
        'for file in /proc/1/fd/*; do readlink $file || head -c 0 $file || echo -; done 2>/dev/null | sort -u',
      ].join('; '),
      outcome:
        /^EPERM\nEPERM\nEPERM\n(ok\nEPERM|EPERM\nEPERM|ENOSYS\nENOSYS)\nrefused\nrefused\nrefused\nrefused\n-\n$/,
    },
    {
      what: 'processes: PID 1 does not end for it',
      script:
        'for signal in KILL TERM INT STOP HUP USR1 SEGV; do kill -$signal 1; done; grep -cE State:.[DRS] /proc/1/status',
      outcome: '1\n',
    },
    {
      what: 'processes: files that it was left',
      script:
        'ls /proc/self/fd | grep -vxE "[0-3]"; for fd in 0 1 2; do readlink /proc/$$/fd/$fd; done | sed "s/[^a-z/]*$//" | sort -u',
      outcome: /^(\/dev\/null\n)?pipe\n$/,
    },
    {
      what: 'cgroups: no file of theirs is there',
      script:
        'find / -name "cgroup.procs" -o -name "release_agent" -o -name "cgroup.kill" -o -name "notify_on_release" | grep -v "^/proc"; echo tried',
      outcome: 'tried\n',
    },
    notWritable(
      'kernel: settings that lead to programs of the host, or end it',
      '/proc/sys/kernel/core_pattern',
      '/proc/sys/kernel/modprobe',
      '/proc/sys/kernel/hotplug',
      '/proc/sys/kernel/poweroff_cmd',
      '/proc/sys/fs/binfmt_misc/register',
      '/proc/sysrq-trigger',
      '/sys/kernel/uevent_helper',
      '/sys/power/state',
      '/sys/kernel/reboot/mode',
    ),
    {
      what: 'kernel: whatever may be written to of it',
      script: [
        'find /proc /sys -type f -perm -200 ! -path "/proc/[0-9]*" ! -path "/proc/self*" ! -path "/proc/thread-self*" 2>/dev/null |',
        'while read -r file; do true 2>/dev/null >> "$file" && echo "$file"; done; echo tried',
      ].join(' '),
      // A trigger there is of who has opened the file, and of nobody else.
      outcome: /^(\/proc\/pressure\/(cpu|io|memory|irq)\n)*tried\n$/,
    },
    {
      what: 'kernel: what it tells of others, and of itself',
      script: [
        'for file in /proc/kallsyms /proc/keys /proc/timer_list /proc/sched_debug /proc/kcore /proc/kmsg /proc/kpageflags /proc/kpagecgroup /proc/kpagecount',
        '/sys/firmware/* /sys/module/* /sys/fs/*; do [ -z "$(head -c 1 $file | tr "\\0" 0)" ] || echo $file; done 2>/dev/null; echo tried',
      ].join(' '),
      outcome: 'tried\n',
    },
    refused(
      'kernel: as a whole',
      ['reboot', 0, 0, 0, 0],
      ['init_module', 0, 0, ''],
      ['finit_module', 0, '', 0],
      ['delete_module', 'none', 0],
      ['kexec_load', 0, 0, 0, 0],
      ['swapon', '/tmp/swap', 0],
      ['acct', 0],
      ['syslog', 3, 0, 0],
      ['iopl', 3],
      ['ioperm', 0, 1, 1],
      ['sethostname', 'x', 1],
      ['setdomainname', 'x', 1],
      ['clock_settime', 0, `hex:${'00'.repeat(16)}`],
      ['vhangup'],
    ),
    {
      what: 'kernel: keys of the host’s root',
      script: shellCalls(
        ['keyctl', KEY_DESCRIBE, KEYRING_OF_USER, 0, 0],
        ['keyctl', KEY_READ, KEYRING_OF_USER, 0, 0],
      ),
      outcome: lines(['EPERM', 'EPERM']),
      // Keyrings are of users, and know no pods: nothing else stands in the way. With users of its own a pod finds its root's.
      unfiltered: /^(ok\nok|ENOSYS\nENOSYS)\n$/,
    },
    {
      what: 'network: who listens on the host by a name of no file',
      script: shellCalls(
        ['socket', 1, 1, 0],
        ['connect', 'result', `hex:0100${Buffer.from(`\0${socket}`).toString('hex')}`, socket.length + 3],
      ),
      outcome: lines(['ok', 'ECONNREFUSED']),
    },
    {
      what: 'network: machines beside it, and their host, which know no namespaces',
      script: shellCalls(['socket', AF_VSOCK, 1, 0]),
      outcome: 'EPERM\n',
      // By a kernel that knows none it is told so.
      unfiltered: /^(ok|EAFNOSUPPORT)\n$/,
    },
  ];
}
