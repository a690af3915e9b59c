/**
 * Places through which even a confined root could change or read the kernel that all apps of the pod share; rkt's lists.
 * Kernels differ in which of them they have. /sys is read-only as a whole, so what is there needs no line here. `--insecure-options=paths` leaves them open.
 */
export const READ_ONLY_PATHS: readonly string[] = [
  '/proc/bus',
  '/proc/sys/kernel/core_pattern',
  '/proc/sys/kernel/modprobe',
  '/proc/sys/vm/panic_on_oom',
  '/proc/sysrq-trigger',
];

export const HIDDEN_PATHS: readonly string[] = [
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
