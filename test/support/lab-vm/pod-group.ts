/**
 * What a stage1 does about cgroups, without the rest: `pod-group run|crash|gc UUID`, in a directory that stands for the
 * pod's. `crash` leaves everything behind.
 */
import { POD } from '../../../src/abi/pod-directory.ts';
import { readText, readTextIfPresent } from '../../../src/native/contents.ts';
import { argv, exit, utf8Encode } from '../../../src/native/engine.ts';
import { writeAll } from '../../../src/native/files.ts';
import { kill, waitFor } from '../../../src/native/processes.ts';
import { spawn } from '../../../src/native/spawn.ts';
import {
  joinFiles,
  makePodCgroup,
  removePodCgroup,
  removeRecordedCgroups,
} from '../../../src/supervisor/cgroup.ts';

const cgroupOf = (pid: number | 'self') => readText(`/proc/${pid}/cgroup`).trim().replace('0::', '');

function main(mode: string | undefined, uuid = ''): void {
  if (mode === 'gc') {
    removeRecordedCgroups();
    return;
  }
  const before = cgroupOf('self');
  const cgroup = makePodCgroup(uuid, {
    controllers: ['memory', 'cpu', 'pids'],
    limits: { memoryBytes: 1 << 30, processes: 512 },
  });
  const files = joinFiles(cgroup);
  const steps = files.map((path) => ({ do: 'write', path, text: '0' }) as const);
  const pid = spawn({ path: '/bin/sleep', argv: ['sleep', '60'], env: [], fds: [], steps });
  const report = {
    before,
    kind: cgroup.kind,
    reason: cgroup.kind === 'none' ? cgroup.reason : undefined,
    supervisor: cgroupOf('self'),
    child: cgroupOf(pid),
    pidsMax: files.map((path) => readText(path.replace('cgroup.procs', 'pids.max')).trim()),
    scopeLimits: Object.fromEntries(
      files.flatMap((path) =>
        ['memory.max', 'cpu.max'].map((name) => [
          name,
          readTextIfPresent(path.replace(/[^/]+\/cgroup.procs$/, name))?.trim(),
        ]),
      ),
    ),
    recorded: readTextIfPresent(POD.cgroups)?.trim().split('\n') ?? [],
  };
  if (mode === 'run') {
    kill(pid, 'SIGKILL');
    waitFor(pid);
    removePodCgroup(cgroup);
  }
  writeAll(1, utf8Encode(`${JSON.stringify({ ...report, after: cgroupOf('self') })}\n`));
}

main(argv()[1], argv()[2]);
exit(0);
