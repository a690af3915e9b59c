import { describe, expect, it } from 'vitest';
import type { SeccompName } from '../../../../src/appc/index.ts';
import {
  ARCHITECTURES,
  type Architecture,
  callsOf,
} from '../../../../src/supervisor/seccomp/architectures.ts';
import { findGroup, GROUP_NAMES } from '../../../../src/supervisor/seccomp/groups.ts';
import { ALLOW, ENOSYS, EPERM, KILL_PROCESS, refuseWith } from '../../../../src/supervisor/seccomp/policy.ts';
import { compileFilter } from '../../../../src/supervisor/seccomp/program.ts';
import { DEFAULT_ISOLATOR, policyOfSet } from '../../../../src/supervisor/seccomp/sets.ts';
import { checkFilter, runFilter } from '../../../support/bpf.ts';

const RETAIN = 'os/linux/seccomp-retain-set';
const REMOVE = 'os/linux/seccomp-remove-set';

function isolator(name: SeccompName, set: readonly string[], errno?: string) {
  return { kind: 'seccomp', name, value: errno === undefined ? { set } : { set, errno } } as const;
}

function filter(asked: ReturnType<typeof isolator> | typeof DEFAULT_ISOLATOR, own: Architecture = 'x86-64') {
  const policy = policyOfSet(asked, own);
  if (policy === null) throw new Error('no filter');
  const program = compileFilter(policy);
  checkFilter(program);
  return (name: string, args: readonly bigint[] = [], architecture = own) => {
    const number = callsOf(architecture).numbers.get(name);
    if (number === undefined) throw new Error(`no ${name}`);
    return runFilter(program, { number, architecture: ARCHITECTURES[architecture].audit, args }).action;
  };
}

describe('a retain-set', () => {
  it('kills for what is not in it, but for how programs begin and end', () => {
    const decide = filter(isolator(RETAIN, ['read', 'open']));
    expect(
      ['read', 'open', 'execve', 'exit', 'exit_group', 'rt_sigreturn'].map((name) => decide(name)),
    ).toEqual(Array(6).fill(ALLOW));
    expect(['write', 'mkdir', 'brk', 'execveat'].map((name) => decide(name))).toEqual(
      Array(4).fill(KILL_PROCESS),
    );
  });

  it('refuses with an error where one is named, whatever the way into the kernel', () => {
    const decide = filter(isolator(RETAIN, ['read'], 'EXFULL'));
    const EXFULL = refuseWith(54);
    expect([decide('mkdir'), decide('mkdir', [], 'i386'), decide('mkdirat', [], 'arm64')]).toEqual(
      Array(3).fill(EXFULL),
    );
    expect(decide('read', [], 'i386')).toBe(ALLOW);
  });

  it('of all calls is no filter', () => {
    expect(policyOfSet(isolator(RETAIN, ['@appc.io/all']), 'x86-64')).toBeNull();
  });

  it('takes what it names as a whole, though a group has it in part', () => {
    const set = ['@rkt/default-whitelist', 'clone', 'mount'];
    const decide = filter(isolator(RETAIN, set));
    const CLONE_NEWUSER = 0x10000000n;
    expect([decide('clone', [CLONE_NEWUSER]), decide('mount')]).toEqual([ALLOW, ALLOW]);
    expect(filter(isolator(RETAIN, set.slice(0, 1)))('clone', [CLONE_NEWUSER])).toBe(KILL_PROCESS);
  });

  it('of arm64 has the numbers of arm64', () => {
    const decide = filter(isolator(RETAIN, ['@docker/default-whitelist', 'fork']), 'arm64');
    expect([decide('read'), decide('openat'), decide('mount'), decide('clone3')]).toEqual([
      ALLOW,
      ALLOW,
      KILL_PROCESS,
      refuseWith(ENOSYS),
    ]);
    expect(decide('read', [], 'x86-64')).toBe(KILL_PROCESS);
  });
});

describe('a remove-set', () => {
  it('kills for what is in it, and lets all else pass', () => {
    const decide = filter(isolator(REMOVE, ['mkdir', 'chown32', '@systemd/clock']));
    expect([decide('mkdir'), decide('settimeofday'), decide('chown32', [], 'i386')]).toEqual(
      Array(3).fill(KILL_PROCESS),
    );
    expect([decide('mkdirat'), decide('mount'), decide('bpf')]).toEqual(Array(3).fill(ALLOW));
  });

  it('of nothing is the default list, without what else it has', () => {
    const decide = filter(isolator(REMOVE, ['@appc.io/empty', 'chmod'], 'EACCES'));
    expect([decide('read'), decide('chmod'), decide('mount')]).toEqual([
      ALLOW,
      refuseWith(13),
      refuseWith(13),
    ]);
  });
});

describe('the filter of apps without one', () => {
  const decide = filter(DEFAULT_ISOLATOR);

  it.each([
    'read statx rseq futex_waitv faccessat2 epoll_pwait2 close_range getrandom membarrier landlock_create_ruleset',
    'chroot chown setuid mknod ptrace personality socket clone vfork execveat arch_prctl',
  ])('lets programs do %s', (names) => {
    for (const name of names.split(' ')) expect(decide(name), name).toBe(ALLOW);
  });

  it.each([
    'mount umount2 pivot_root unshare setns open_by_handle_at move_mount fsopen mount_setattr swapon reboot',
    'init_module finit_module kexec_load bpf perf_event_open userfaultfd keyctl add_key io_uring_setup',
    'iopl ioperm settimeofday clock_settime acct quotactl syslog vhangup uselib',
  ])('refuses %s', (names) => {
    for (const name of names.split(' ')) expect(decide(name), name).toBe(refuseWith(EPERM));
  });

  it.each(['NEWNS', 'NEWCGROUP', 'NEWUTS', 'NEWIPC', 'NEWUSER', 'NEWPID', 'NEWNET'])(
    'refuses CLONE_%s',
    (name) => {
      const bit = {
        NEWNS: 17n,
        NEWCGROUP: 25n,
        NEWUTS: 26n,
        NEWIPC: 27n,
        NEWUSER: 28n,
        NEWPID: 29n,
        NEWNET: 30n,
      }[name];
      const SIGCHLD = 17n;
      expect(decide('clone', [(1n << (bit ?? 0n)) | SIGCHLD])).toBe(refuseWith(EPERM));
    },
  );

  it('says that there is no clone3, whose flags it cannot see', () => {
    expect(decide('clone3')).toBe(refuseWith(ENOSYS));
  });

  it('looks at what a socket and a personality are of', () => {
    const AF_VSOCK = 40n;
    const ADDR_NO_RANDOMIZE = 0x40000n;
    expect([decide('socket', [2n]), decide('socket', [AF_VSOCK])]).toEqual([ALLOW, refuseWith(EPERM)]);
    expect([decide('personality', [8n]), decide('personality', [ADDR_NO_RANDOMIZE])]).toEqual([
      ALLOW,
      refuseWith(EPERM),
    ]);
  });
});

describe('groups', () => {
  it('have no call that is not one, and none twice', () => {
    for (const name of GROUP_NAMES) {
      const names = findGroup(name)?.names ?? [];
      expect(names.length, name).toBeGreaterThan(1);
      expect(new Set(names).size, name).toBe(names.length);
      const known = (['x86-64', 'i386', 'arm64'] as const).map(
        (architecture) => callsOf(architecture).numbers,
      );
      expect(names.filter((call) => !known.some((numbers) => numbers.has(call)))).toEqual([]);
    }
  });

  it.each([
    ['@systemd/raw-io', ['ioperm', 'iopl']],
    ['@systemd/mount', ['chroot', 'mount', 'umount2', 'fsopen']],
    ['@systemd/default-whitelist', ['execve', 'mmap', 'rseq']],
    ['@rkt/default-blacklist', ['mount', 'keyctl', 'open_tree']],
  ])('%s', (name, some) => {
    expect(findGroup(name)?.names).toEqual(expect.arrayContaining(some));
  });
});

it.each([
  [isolator(RETAIN, ['read', 'opne']), 'os/linux/seccomp-retain-set: unknown system call "opne"'],
  [
    isolator(REMOVE, ['@systemd/all']),
    'os/linux/seccomp-remove-set: unknown group "@systemd/all": there are @appc.io',
  ],
  [isolator(RETAIN, ['@constructor']), 'unknown group "@constructor"'],
  [isolator(RETAIN, ['@appc.io/empty']), '@appc.io/empty leaves no call that a program could make'],
  [isolator(REMOVE, ['@appc.io/all']), '@appc.io/all leaves no call that a program could make'],
  [isolator(REMOVE, ['read'], 'ENOTHING'), 'no error number is called ENOTHING'],
])('%j is refused', (asked, message) => {
  expect(() => policyOfSet(asked, 'x86-64')).toThrow(message);
});
