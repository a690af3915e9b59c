/** What an app is not to do, one thing an app: how it is asked for, how the app tries, and what comes of it, whatever the pod lives in. */
export interface Confinement {
  readonly name: string;
  readonly flags: readonly string[];
  /** For the app's shell. */
  readonly script: string;
  readonly output: string | RegExp;
}

const CAPABILITIES = "grep -E '^Cap(Prm|Eff|Bnd|Amb):' /proc/self/status | cut -f2 | tr '\\n' ' '; echo";
const capabilities = (own: string, bounding = own) =>
  `${[own, own, bounding, '0'].map((text) => text.padStart(16, '0')).join(' ')} \n`;
const RKT_DEFAULT = 'a80425fb';
const CHOWN = 'chown 1 /etc/group && echo chowned';
const QUIETLY = 'exec 2> /tmp/errors;';
const MKDIR = 'mkdir /tmp/new && echo made';

/** A file that the apps' image has. */
export const OWNED = { path: '/owned', uid: 1234, gid: 5678 } as const;

export const CONFINEMENT: readonly Confinement[] = [
  {
    name: 'capabilities',
    flags: [],
    script: `${CAPABILITIES}; ${CHOWN}; mount -t tmpfs none /tmp; hostname x`,
    output: new RegExp(
      `^${capabilities(RKT_DEFAULT)}chowned\n.*mount.*(denied|permitted).*\nhostname.*not permitted\n$`,
    ),
  },
  {
    name: 'capabilities-retained',
    flags: ['--caps-retain=CAP_KILL,CAP_NET_RAW'],
    script: `${CAPABILITIES}; ${CHOWN}; chroot / true`,
    output: new RegExp(`^${capabilities('2020')}chown.*not permitted\nchroot.*not permitted\n$`),
  },
  {
    name: 'capabilities-removed',
    flags: ['--caps-remove=CAP_CHOWN,CAP_SYS_CHROOT'],
    script: `${CAPABILITIES}; ${CHOWN}; chroot / true`,
    output: new RegExp(`^${capabilities('a80025fa')}chown.*not permitted\nchroot.*not permitted\n$`),
  },
  {
    name: 'capabilities-of-users',
    flags: ['--user=1000'],
    script: `${CAPABILITIES}; grep NoNewPrivs /proc/self/status; ${CHOWN}`,
    output: new RegExp(`^${capabilities('0', RKT_DEFAULT)}NoNewPrivs:\t1\nchown.*not permitted\n$`),
  },
  {
    name: 'seccomp-error',
    flags: ['--seccomp=mode=remove,errno=EXFULL,mkdir,mkdirat'],
    script: `grep Seccomp: /proc/self/status; ${MKDIR}`,
    output: /^Seccomp:\t2\nmkdir.*Exchange full\n$/,
  },
  {
    name: 'seccomp-kill',
    flags: ['--seccomp=mode=remove,mkdir,mkdirat'],
    script: `${MKDIR}; echo $?`,
    output: /^Bad system call.*\n159\n$/,
  },
  {
    name: 'cpu',
    flags: ['--cpu=100m'],
    // As long as the clock says, and by that of its own process: no more than half of it, whatever others leave of the processors.
    script: [
      'now() { read -r seconds rest < /proc/uptime; hundredths=$(echo $seconds | tr -d .); }',
      'now; start=$hundredths; while now; [ $((hundredths - start)) -lt 300 ]; do :; done',
      'used=$(cut -d" " -f14-17 /proc/$$/stat | tr " " +)',
      '[ $((used)) -lt $(((hundredths - start) / 2)) ] && echo bounded || echo used $used',
    ].join('; '),
    output: 'bounded\n',
  },
  {
    name: 'pids',
    flags: ['--pids-limit=8'],
    script: '(for n in 1 2 3 4 5 6 7 8 9; do sleep 1000 > /dev/null 2>&1 & done; echo all); echo end',
    output: /^.*can't fork: Resource temporarily unavailable\nend\n$/,
  },
  {
    name: 'paths',
    flags: [],
    script: [
      QUIETLY,
      'for file in sys/kernel/core_pattern sys/kernel/modprobe sys/vm/panic_on_oom sysrq-trigger bus/x; do',
      'echo x > /proc/$file && echo wrote $file; done;',
      'for file in kallsyms kcore config.gz sched_debug; do head -c 1 /proc/$file; done;',
      'find /sys/firmware /sys/fs /sys/module /sys/power -mindepth 1;',
      'mkdir /sys/fs/new && echo made; echo x > /sys/kernel/uevent_helper && echo wrote; umount /proc/kallsyms || echo remains',
    ].join(' '),
    output: 'remains\n',
  },
  {
    name: 'devices',
    flags: [],
    script: [
      QUIETLY,
      "find /dev -type c | grep -v -e /pts/ -e net/tun | sort | tr '\\n' ' '; find / -xdev -type b; echo;",
      "for device in 'b 254 0' 'b 8 0' 'c 1 1' 'c 1 11'; do for place in /tmp /dev; do mknod $place/node $device;",
      'head -c 1 $place/node > /dev/null && echo read $device; rm -f $place/node; done; done;',
      'echo x > /dev/full || echo full',
    ].join(' '),
    output: `${['full', 'null', 'random', 'tty', 'urandom', 'zero'].map((name) => `/dev/${name}`).join(' ')} \nfull\n`,
  },
  {
    name: 'users',
    flags: ['--user=alice', '--group=crew', '--supplementary-gids=3000,3001'],
    script:
      "grep -E '^(Uid|Gid|Groups):' /proc/self/status | tr -s '\\t ' ' '; umask; true > /etc/new; cat /proc/1/environ; kill -0 1",
    output:
      /^Uid: 1000 1000 1000 1000\nGid: 2000 2000 2000 2000\nGroups: 3000 3001 \n0022\n.*Permission denied\n.*Permission denied\n.*not permitted\n$/,
  },
  {
    name: 'users-by-file',
    flags: [`--user=${OWNED.path}`, `--group=${OWNED.path}`],
    script: 'id -u; id -g',
    output: `${OWNED.uid}\n${OWNED.gid}\n`,
  },
  {
    name: 'read-only-root',
    flags: ['--readonly-rootfs=true'],
    script: 'true > /new || mkdir /tmp/new; echo x > /dev/shm/$AC_APP_NAME && echo written',
    output: /^.*Read-only file system\n.*Read-only file system\nwritten\n$/,
  },
  {
    name: 'sysctl',
    flags: [],
    script: 'cat /proc/sys/net/core/somaxconn /proc/sys/kernel/shm_rmid_forced',
    output: '515\n1\n',
  },
  {
    name: 'rlimits',
    flags: ['--ulimit=nofile=64:128', '--ulimit=fsize=8192:8192', '--ulimit=core=0'],
    script: [
      "grep -E '^Max (open files|file size|core file)' /proc/self/limits | tr -s ' '",
      '(ulimit -n 129; ulimit -n); dd if=/dev/zero of=/tmp/large bs=4096 count=4; echo; wc -c < /tmp/large',
    ].join('; '),
    output:
      /^Max file size 8192 8192 bytes \nMax core file size 0 0 bytes \nMax open files 64 128 files \n.*not permitted\n64\nFile size limit exceeded\n\n8192\n$/,
  },
  {
    name: 'oom-score',
    flags: ['--oom-score-adj=300'],
    script: 'cat /proc/self/oom_score_adj; echo -500 > /proc/self/oom_score_adj',
    output: /^300\n.*Permission denied\n$/,
  },
];

/** Of the pod. */
export const SYSCTLS = ['--sysctl=net.core.somaxconn=515', '--sysctl=kernel.shm_rmid_forced=1'];
