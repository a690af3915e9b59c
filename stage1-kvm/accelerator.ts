import { KvmError } from './error.ts';

/** What runs the guest's instructions: the processor, or QEMU's translator in software. */
export type Accelerator = 'kvm' | 'tcg';

export interface HostFacts {
  /** The flags of /proc/cpuinfo. */
  readonly flags: readonly string[];
  /** Why /dev/kvm cannot be opened; undefined when it can. */
  readonly kvmRefusal: string | undefined;
  /** RKT_HYPERVISOR_ACCEL. */
  readonly wanted: string | undefined;
}

export interface AcceleratorChoice {
  readonly accelerator: Accelerator;
  /** For the operator: what the choice costs. Undefined where there is nothing to say. */
  readonly warning: string | undefined;
}

/**
 * Decides before anything is started. /dev/kvm alone proves nothing: it also opens on a virtual machine whose own
 * host does not nest, and guests then hang; so the processor's flags must be there, too.
 * @throws KvmError `unsupported`
 */
export function chooseAccelerator(host: HostFacts): AcceleratorChoice {
  const obstacle = obstacleOf(host);
  switch (host.wanted) {
    case 'tcg':
      return { accelerator: 'tcg', warning: undefined };
    case 'kvm':
      if (obstacle !== undefined)
        throw new KvmError('unsupported', `RKT_HYPERVISOR_ACCEL=kvm, but ${obstacle}`);
      return { accelerator: 'kvm', warning: undefined };
    case undefined:
    case '':
      if (obstacle === undefined) return { accelerator: 'kvm', warning: undefined };
      return {
        accelerator: 'tcg',
        warning: `no hardware virtualization (${obstacle}): the pod runs in software emulation, which is slow`,
      };
    default:
      throw new KvmError(
        'unsupported',
        `RKT_HYPERVISOR_ACCEL is kvm or tcg, not ${JSON.stringify(host.wanted)}`,
      );
  }
}

function obstacleOf({ flags, kvmRefusal }: HostFacts): string | undefined {
  if (!flags.includes('vmx') && !flags.includes('svm'))
    return 'the processor has no virtualization extension (vmx or svm), or whatever runs this machine hides it';
  return kvmRefusal === undefined ? undefined : `/dev/kvm does not open: ${kvmRefusal}`;
}

/** Reads what matters of the text of /proc/cpuinfo. */
export function parseCpuInfo(text: string): {
  flags: readonly string[];
  count: number;
  kilohertz: number | undefined;
} {
  const flags = /^flags\s*:(.*)$/m.exec(text)?.[1]?.trim().split(/\s+/) ?? [];
  const count = text.match(/^processor\s*:/gm)?.length ?? 1;
  const megahertz = Number(/^cpu MHz\s*:\s*([\d.]+)$/m.exec(text)?.[1]);
  return { flags, count, kilohertz: megahertz > 0 ? Math.round(megahertz * 1000) : undefined };
}
