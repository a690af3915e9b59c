/**
 * Places through which even a confined root could change or read the kernel that all apps of the pod share; rkt's lists.
 * Kernels differ in which of them they have. /sys is read-only as a whole, so what is there needs no line here. `--insecure-options=paths` leaves them open.
 */
const READ_ONLY: readonly string[] = [
  '/proc/bus',
  '/proc/sys/kernel/core_pattern',
  '/proc/sys/kernel/modprobe',
  '/proc/sys/vm/panic_on_oom',
  '/proc/sysrq-trigger',
];

const HIDDEN: readonly string[] = [
  '/sys/firmware',
  '/sys/fs',
  '/sys/hypervisor',
  '/sys/module',
  '/sys/power',
  '/proc/config.gz',
  '/proc/kallsyms',
  '/proc/sched_debug',
  '/proc/kcore',
  '/proc/kmem',
  '/proc/mem',
];

/** Where the kernel is the host's: its settings, of which root may write many without any capability, and what it tells of others. */
const READ_ONLY_ON_HOST: readonly string[] = [
  '/proc/sys',
  '/proc/fs',
  '/proc/irq',
  '/proc/asound',
  '/proc/scsi',
];
const HIDDEN_ON_HOST: readonly string[] = [
  '/proc/acpi',
  '/proc/keys',
  '/proc/kpagecgroup',
  '/proc/kpagecount',
  '/proc/kpageflags',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/sys/devices/virtual/powercap',
];

export interface ProtectedPaths {
  readonly readOnly: readonly string[];
  readonly hidden: readonly string[];
}

export function protectedPaths(ownKernel: boolean): ProtectedPaths {
  if (ownKernel) return { readOnly: READ_ONLY, hidden: HIDDEN };
  return { readOnly: [...READ_ONLY, ...READ_ONLY_ON_HOST], hidden: [...HIDDEN, ...HIDDEN_ON_HOST] };
}
