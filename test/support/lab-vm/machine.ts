/** The lab's machine as command lines. How each argument came about: docs of the same choices in stage1-kvm/vmm.ts. */
import { AGENT_PORT, SHARES, TARGET } from './files.ts';

export interface LabMachine {
  readonly vmlinux: string;
  readonly memoryMegabytes: number;
  /** Of this machine's own clock: the guest's kernel must not calibrate, which hangs now and then under emulation. */
  readonly tscKilohertz: number | undefined;
  /** Where the sockets are. */
  readonly directory: string;
}

export interface Share {
  readonly tag: string;
  readonly directory: string;
  /** Nobody changes it while the machine runs. */
  readonly constant: boolean;
}

export type VirtiofsdKind = 'c' | 'rust';

export const shareSocket = (directory: string, { tag }: Share) => `${directory}/${tag}.sock`;
export const agentSocket = (directory: string) => `${directory}/agent.sock`;

export function virtiofsdArguments(kind: VirtiofsdKind, directory: string, share: Share): string[] {
  const socket = `--socket-path=${shareSocket(directory, share)}`;
  const cache = share.constant ? 'always' : 'none';
  if (kind === 'rust')
    return [
      socket,
      `--shared-dir=${share.directory}`,
      '--sandbox=chroot',
      `--cache=${cache === 'none' ? 'never' : cache}`,
    ];
  return [socket, '-o', `source=${share.directory}`, '-o', 'sandbox=chroot', '-o', `cache=${cache}`];
}

/** The console is QEMU's standard output. */
export function qemuArguments(machine: LabMachine, shares: readonly Share[]): string[] {
  const { directory, memoryMegabytes, vmlinux } = machine;
  const memory = `${memoryMegabytes}M`;
  return [
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot'],
    ...['-M', 'microvm,pcie=on,memory-backend=mem', '-bios', 'qboot.rom'],
    ...['-object', `memory-backend-memfd,id=mem,size=${memory},share=on`, '-m', memory],
    ...['-accel', 'tcg', '-cpu', 'max', '-smp', '1'],
    ...['-kernel', vmlinux, '-append', kernelParameters(machine)],
    ...shares.flatMap((share) => [
      ...['-chardev', `socket,id=${share.tag},path=${shareSocket(directory, share)}`],
      ...['-device', `vhost-user-fs-pci,chardev=${share.tag},tag=${share.tag}`],
    ]),
    ...['-device', 'virtio-serial-pci,id=ports'],
    ...['-chardev', `socket,id=agent,path=${agentSocket(directory)}`],
    ...['-device', `virtserialport,bus=ports.0,nr=${AGENT_PORT},chardev=agent,name=agent`],
    ...['-serial', 'stdio'],
  ];
}

function kernelParameters({ tscKilohertz }: LabMachine): string {
  return [
    ...[`root=${SHARES.root}`, 'rootfstype=virtiofs', 'ro', 'console=ttyS0'],
    ...['quiet', 'loglevel=4', 'panic=-1', 'reboot=t', 'cryptomgr.notests', 'random.trust_cpu=on'],
    ...(tscKilohertz === undefined ? [] : [`tsc_early_khz=${tscKilohertz}`]),
    ...['no_timer_check', 'tsc=reliable', 'mitigations=off'],
    ...[`systemd.unit=${TARGET}`, 'systemd.log_target=console', 'systemd.log_color=no'],
    ...['systemd.show_status=no', 'systemd.mask=systemd-journald.service'],
  ].join(' ');
}
