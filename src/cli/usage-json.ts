import type { AppUsage, PodUsage, Usage } from '../stage0/usage.ts';
import type { JsonValue } from './json.ts';

/** One sample as `rkt stats` prints it in JSON (docs/commands/stats.md); the time in nanoseconds since 1970. */
export function usageJson(time: bigint, pods: readonly PodUsage[]): JsonValue {
  return { time, pods: pods.map(podJson) };
}

function podJson({ sample, apps, total, overhead }: PodUsage): JsonValue {
  const { uuid, podName, phase, guest, processes, group } = sample;
  return {
    uuid,
    pod_name: podName,
    paused: phase === 'paused' ? true : undefined,
    starting: phase === 'starting' ? true : undefined,
    answered: guest !== null,
    apps: apps.map(appJson),
    interfaces: guest?.interfaces.map((each) => ({
      name: each.name,
      received_bytes: each.receivedBytes,
      received_packets: each.receivedPackets,
      sent_bytes: each.sentBytes,
      sent_packets: each.sentPackets,
    })),
    guest:
      guest === null
        ? undefined
        : {
            uptime_msec: guest.uptimeMilliseconds,
            memory_bytes: guest.memoryBytes,
            memory_available_bytes: guest.memoryAvailableBytes,
          },
    host: {
      ...usage(total),
      processes: processes.map(({ name, pid, cpuMicroseconds, memoryBytes }) => ({
        name,
        pid,
        cpu_usec: cpuMicroseconds,
        memory_bytes: memoryBytes,
      })),
      cgroup:
        group === null
          ? undefined
          : {
              cpu_usec: group.cpuMicroseconds ?? undefined,
              memory_bytes: group.memoryBytes ?? undefined,
              memory_peak_bytes: group.memoryPeakBytes ?? undefined,
              pids: group.tasks ?? undefined,
            },
    },
    overhead: usage(overhead),
  };
}

function appJson(app: AppUsage): JsonValue {
  return {
    name: app.name,
    ...usage(app),
    memory_peak_bytes: app.memoryPeakBytes ?? undefined,
    pids: app.tasks ?? undefined,
    read_bytes: app.readBytes ?? undefined,
    written_bytes: app.writtenBytes ?? undefined,
    bytes_of: app.bytesOf,
  };
}

function usage({ cpuPercent, cpuMicroseconds, memoryBytes }: Usage) {
  return {
    cpu_percent: cpuPercent === null ? undefined : Math.round(cpuPercent * 100) / 100,
    cpu_usec: cpuMicroseconds ?? undefined,
    memory_bytes: memoryBytes ?? undefined,
  };
}
