/** What a saved machine depends on. Pure. */
import { PROTOCOL_VERSION } from '../src/abi/guest.ts';
import type { Stat } from '../src/native/stat.ts';
import { machineWords, type SavedMachine } from './template-arguments.ts';

export interface TemplateFacts {
  /** Id of the stage1's image, in which kernel, initramfs and this program are. */
  readonly stage1: string;
  readonly kernel: Pick<Stat, 'size' | 'modified'>;
  readonly initramfs: Pick<Stat, 'size' | 'modified'>;
  readonly qemu: { readonly path: string } & Pick<Stat, 'size' | 'modified'>;
  /** The text of /proc/cpuinfo. */
  readonly cpuInfo: string;
  /** Of the host. */
  readonly kernelRelease: string;
  /** Whether the host's kernel moves packets. */
  readonly hasVhost: boolean;
}

/** When what is in a template changes its meaning. */
const FORMAT = 2;
const OF_THE_CPU = /^(vendor_id|cpu family|model|model name|stepping|microcode|flags)\s*:.*$/gm;

/** Equal for two machines that can be restored from the same template, and only for these. */
export function templateFacts(machine: SavedMachine, facts: TemplateFacts): string[] {
  const firstCpu = facts.cpuInfo.split('\n\n')[0] ?? '';
  return [
    `format ${FORMAT}, protocol ${PROTOCOL_VERSION}`,
    `stage1 ${facts.stage1}`,
    `kernel ${stamp(facts.kernel)}`,
    `initramfs ${stamp(facts.initramfs)}`,
    `qemu ${facts.qemu.path} ${stamp(facts.qemu)}`,
    ...(firstCpu.match(OF_THE_CPU) ?? []).map((line) => `cpu ${line.replaceAll(/\s+/g, ' ')}`),
    // The hypervisor's state is the host kernel's, and what taps can do.
    ...(machine.accelerator === 'kvm' || machine.devices.interfaces > 0
      ? [`host ${facts.kernelRelease}`]
      : []),
    ...machineWords(machine, facts.hasVhost),
  ];
}

/** A version of a file: packages replace files, and a file that is replaced has another time. */
function stamp({ size, modified }: Pick<Stat, 'size' | 'modified'>): string {
  return `${size} ${modified.seconds}.${modified.nanoseconds}`;
}

/** A name for the facts. That they are equal is looked at beside that, so two with one name would only take turns. */
export function templateKey(facts: readonly string[]): string {
  const text = facts.join('\n');
  return [0x811c9dc5, 0x2b7e1516]
    .map((start) => {
      let hash = start;
      for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
      return (hash >>> 0).toString(16).padStart(8, '0');
    })
    .join('');
}
