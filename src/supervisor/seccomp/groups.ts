/** Names that stand for many calls in the isolators of appc. What none of the tables here has is left out of the lists. */
import { ALLOW, type Condition, ENOSYS, type Rule, refuseWith } from './policy.ts';

export interface Group {
  readonly names: readonly string[];
  /** Calls that are retained in part only. */
  readonly rules: readonly Rule[];
}

/**
 * What Docker lets programs do whatever their capabilities are, as of 2024: rkt's list has come from there, and in 2016 there was
 * neither `rseq` nor `statx`, without which hardly a program starts today. io_uring is past every filter, and not in it.
 */
const WHITELIST = `
_llseek _newselect accept accept4 access adjtimex alarm arch_prctl bind brk capget capset chdir
chmod chown chown32 chroot clock_adjtime clock_adjtime64 clock_getres clock_getres_time64
clock_gettime clock_gettime64 clock_nanosleep clock_nanosleep_time64 close close_range connect
copy_file_range creat dup dup2 dup3 epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait
epoll_pwait2 epoll_wait epoll_wait_old eventfd eventfd2 execve execveat exit exit_group faccessat
faccessat2 fadvise64 fadvise64_64 fallocate fanotify_mark fchdir fchmod fchmodat fchown fchown32
fchownat fcntl fcntl64 fdatasync fgetxattr flistxattr flock fork fremovexattr fsetxattr fstat
fstat64 fstatat64 fstatfs fstatfs64 fsync ftruncate ftruncate64 futex futex_time64 futex_waitv
futimesat get_robust_list get_thread_area getcpu getcwd getdents getdents64 getegid getegid32
geteuid geteuid32 getgid getgid32 getgroups getgroups32 getitimer getpeername getpgid getpgrp getpid
getppid getpriority getrandom getresgid getresgid32 getresuid getresuid32 getrlimit getrusage getsid
getsockname getsockopt gettid gettimeofday getuid getuid32 getxattr inotify_add_watch inotify_init
inotify_init1 inotify_rm_watch io_cancel io_destroy io_getevents io_pgetevents io_pgetevents_time64
io_setup io_submit ioctl ioprio_get ioprio_set ipc kill landlock_add_rule landlock_create_ruleset
landlock_restrict_self lchown lchown32 lgetxattr link linkat listen listxattr llistxattr
lremovexattr lseek lsetxattr lstat lstat64 madvise membarrier memfd_create memfd_secret mincore
mkdir mkdirat mknod mknodat mlock mlock2 mlockall mmap mmap2 modify_ldt mprotect mq_getsetattr
mq_notify mq_open mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64 mq_unlink
mremap msgctl msgget msgrcv msgsnd msync munlock munlockall munmap name_to_handle_at nanosleep
newfstatat open openat openat2 pause pidfd_open pidfd_send_signal pipe pipe2 pkey_alloc pkey_free
pkey_mprotect poll ppoll ppoll_time64 prctl pread64 preadv preadv2 prlimit64 process_mrelease
process_vm_readv process_vm_writev pselect6 pselect6_time64 ptrace pwrite64 pwritev pwritev2 read
readahead readlink readlinkat readv recvfrom recvmmsg recvmmsg_time64 recvmsg remap_file_pages
removexattr rename renameat renameat2 restart_syscall rmdir rseq rt_sigaction rt_sigpending
rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64
rt_tgsigqueueinfo sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr
sched_getparam sched_getscheduler sched_rr_get_interval sched_rr_get_interval_time64
sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield seccomp select semctl
semget semop semtimedop semtimedop_time64 sendfile sendfile64 sendmmsg sendmsg sendto
set_robust_list set_thread_area set_tid_address setfsgid setfsgid32 setfsuid setfsuid32 setgid
setgid32 setgroups setgroups32 setitimer setpgid setpriority setregid setregid32 setresgid
setresgid32 setresuid setresuid32 setreuid setreuid32 setrlimit setsid setsockopt setuid setuid32
setxattr shmat shmctl shmdt shmget shutdown sigaltstack signalfd signalfd4 sigprocmask sigreturn
socketcall socketpair splice stat stat64 statfs statfs64 statx symlink symlinkat sync
sync_file_range syncfs sysinfo tee tgkill time timer_create timer_delete timer_getoverrun
timer_gettime timer_gettime64 timer_settime timer_settime64 timerfd_create timerfd_gettime
timerfd_gettime64 timerfd_settime timerfd_settime64 times tkill truncate truncate64 ugetrlimit umask
uname unlink unlinkat utime utimensat utimensat_time64 utimes vfork vmsplice wait4 waitid waitpid
write writev
`;

/** rkt's list, and what the kernel has got since to the same ends. */
const BLACKLIST = `
_sysctl acct add_key adjtimex bpf clock_adjtime clock_adjtime64 clock_settime clock_settime64
create_module delete_module finit_module fsconfig fsmount fsopen fspick get_kernel_syms
get_mempolicy init_module io_uring_enter io_uring_register io_uring_setup ioperm iopl kcmp
kexec_file_load kexec_load keyctl lookup_dcookie mbind migrate_pages mount mount_setattr move_mount
move_pages name_to_handle_at nfsservctl open_by_handle_at open_tree perf_event_open pidfd_getfd
pivot_root process_madvise process_vm_readv process_vm_writev ptrace query_module quotactl
quotactl_fd reboot request_key set_mempolicy set_mempolicy_home_node setns settimeofday stime
swapoff swapon sysfs umount umount2 unshare uselib userfaultfd ustat vm86 vm86old
`;

/** The groups of systemd 252 that rkt knows. */
const SYSTEMD: Readonly<Record<string, string>> = {
  clock: `
adjtimex clock_adjtime clock_adjtime64 clock_settime clock_settime64 settimeofday
`,
  'default-whitelist': `
arch_prctl brk clock_getres clock_getres_time64 clock_gettime clock_gettime64 clock_nanosleep
clock_nanosleep_time64 execve exit exit_group futex futex_time64 futex_waitv get_robust_list
get_thread_area getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 getpgid
getpgrp getpid getppid getrandom getresgid getresgid32 getresuid getresuid32 getrlimit getsid gettid
gettimeofday getuid getuid32 membarrier mmap mmap2 mprotect munmap nanosleep pause prlimit64
restart_syscall rseq rt_sigreturn sched_getaffinity sched_yield set_robust_list set_thread_area
set_tid_address sigreturn time ugetrlimit
`,
  mount: `
chroot fsconfig fsmount fsopen fspick mount mount_setattr move_mount open_tree pivot_root umount
umount2
`,
  'network-io': `
accept accept4 bind connect getpeername getsockname getsockopt listen recvfrom recvmmsg
recvmmsg_time64 recvmsg sendmmsg sendmsg sendto setsockopt shutdown socket socketcall socketpair
`,
  obsolete: `
_sysctl afs_syscall bdflush break create_module ftime get_kernel_syms getpmsg gtty idle lock mpx
prof profil putpmsg query_module security sgetmask ssetmask stime stty sysfs tuxcall ulimit uselib
ustat vserver
`,
  privileged: `
_sysctl acct adjtimex bpf capset chown chown32 chroot clock_adjtime clock_adjtime64 clock_settime
clock_settime64 delete_module fanotify_init fanotify_mark fchown fchown32 fchownat finit_module
init_module ioperm iopl kexec_file_load kexec_load lchown lchown32 nfsservctl open_by_handle_at
pivot_root quotactl quotactl_fd reboot setdomainname setfsuid setfsuid32 setgroups setgroups32
sethostname setresuid setresuid32 setreuid setreuid32 settimeofday setuid setuid32 swapoff swapon
vhangup
`,
  process: `
capget clone clone3 execveat fork getrusage kill pidfd_open pidfd_send_signal prctl rt_sigqueueinfo
rt_tgsigqueueinfo setns tgkill times tkill unshare vfork wait4 waitid waitpid
`,
  'raw-io': `
ioperm iopl
`,
};

/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET. */
const NAMESPACES = 0x7e020000;
const AF_VSOCK = 40;
/** Plain Linux and its 32-bit one, each with 47-bit addresses or without, and the question which it is. */
const PERSONALITIES = [0, 8, 0x20000, 0x20008, 0xffffffff];

const sole = (name: string, condition: Condition): Rule => ({
  names: [name],
  conditions: [condition],
  action: ALLOW,
});

/** Docker's conditions. A user namespace of its own opens much of the kernel to a process that has nothing. */
const CONDITIONAL: readonly Rule[] = [
  sole('clone', { argument: 0, is: 'equal', mask: NAMESPACES, value: 0 }),
  // Its flags are in memory, where a filter does not look: who hears that there is no such call uses `clone`.
  { names: ['clone3'], conditions: [], action: refuseWith(ENOSYS) },
  sole('socket', { argument: 0, is: 'unequal', value: AF_VSOCK }),
  ...PERSONALITIES.map((value) => sole('personality', { argument: 0, is: 'equal', value })),
];

const LISTS: Readonly<Record<string, { readonly text: string; readonly rules?: readonly Rule[] }>> = {
  '@docker/default-whitelist': { text: WHITELIST, rules: CONDITIONAL },
  '@docker/default-blacklist': { text: BLACKLIST },
  '@rkt/default-whitelist': { text: WHITELIST, rules: CONDITIONAL },
  '@rkt/default-blacklist': { text: BLACKLIST },
  ...Object.fromEntries(Object.entries(SYSTEMD).map(([name, text]) => [`@systemd/${name}`, { text }])),
};

export const GROUP_NAMES: readonly string[] = Object.keys(LISTS);

export function findGroup(name: string): Group | undefined {
  const found = Object.hasOwn(LISTS, name) ? LISTS[name] : undefined;
  return found && { names: found.text.trim().split(/\s+/), rules: found.rules ?? [] };
}
