/** What the lab's root file system has beside Debian's packages, as text: path relative to the root, and content. */
export interface LabFile {
  readonly path: string;
  readonly text: string;
  readonly mode?: number;
}

/** Tags of the shares; each is mounted at the directory of its name. */
export const SHARES = { root: 'labroot', exchange: 'lab', build: 'build' } as const;

/** Number of the port through which the host asks. */
export const AGENT_PORT = 1;
/** What the agent says first. */
export const READY = 'ready';
export const TARGET = 'lab.target';

/**
 * Each line from the host is the name of a directory of the exchange: what to run is in it, and what came of it goes
 * there. The answer is the name and the exit code.
 */
const AGENT = `#!/bin/sh
# Numbered among all virtio devices.
exec 3<>"$(echo /dev/vport*p${AGENT_PORT})"
echo ${READY} >&3
while read -r name <&3; do
  (
    cd "/${SHARES.exchange}/$name" || exit
    sh ./command </dev/null >stdout 2>stderr
    echo "$name $?" >&3
  ) &
done
`;

const share = (tag: string, options: string): LabFile => ({
  path: `etc/systemd/system/${tag}.mount`,
  text: `[Unit]
DefaultDependencies=no
[Mount]
What=${tag}
Where=/${tag}
Type=virtiofs
Options=${options}
`,
});

/** Nothing but the message bus and the agent: every unit that a real system starts costs seconds of emulation. */
const UNITS: readonly LabFile[] = [
  {
    path: `etc/systemd/system/${TARGET}`,
    text: '[Unit]\nDefaultDependencies=no\nRequires=dbus.socket lab-agent.service\nAllowIsolate=yes\n',
  },
  {
    path: 'etc/systemd/system/lab-agent.service',
    text: `[Unit]
DefaultDependencies=no
Requires=dbus.socket
Wants=tmp.mount ${SHARES.exchange}.mount ${SHARES.build}.mount
After=dbus.socket tmp.mount ${SHARES.exchange}.mount ${SHARES.build}.mount
[Service]
ExecStart=/usr/local/sbin/lab-agent
StandardOutput=tty
StandardError=tty
TTYPath=/dev/console
`,
  },
  {
    path: 'etc/systemd/system/tmp.mount',
    text: '[Unit]\nDefaultDependencies=no\n[Mount]\nWhat=tmpfs\nWhere=/tmp\nType=tmpfs\nOptions=mode=1777\n',
  },
  share(SHARES.exchange, 'rw'),
  share(SHARES.build, 'ro'),
  ...['dbus.socket', 'dbus.service'].map((unit) => ({
    path: `etc/systemd/system/${unit}.d/lab.conf`,
    text: '[Unit]\nDefaultDependencies=no\n',
  })),
];

export const LAB_FILES: readonly LabFile[] = [
  ...UNITS,
  { path: 'usr/local/sbin/lab-agent', text: AGENT, mode: 0o755 },
  { path: 'etc/hostname', text: 'lab\n' },
  { path: 'etc/fstab', text: '' },
  // Empty: systemd makes one for each boot, and does not take it for a machine's first.
  { path: 'etc/machine-id', text: '' },
];

/** Directories below the root that shares are mounted on. */
export const MOUNT_POINTS: readonly string[] = [SHARES.exchange, SHARES.build];

/** Directories of systemd's whose contents would start more: what targets pull in by links, and generators. */
export const NOT_STARTED: readonly string[] = [
  ...['usr/lib', 'etc'].flatMap((top) =>
    ['basic', 'local-fs', 'multi-user', 'sockets', 'sysinit', 'timers', 'paths', 'initrd'].map(
      (target) => `${top}/systemd/system/${target}.target.wants`,
    ),
  ),
  'usr/lib/systemd/system-generators',
];
