/** Memory that is wanting in a control group of v1, as a file to wait for. */
import { writeControl } from './contents.ts';
import { close, open, open_, read } from './files.ts';
import { call } from './syscall.ts';

const EFD_NONBLOCK = 0o4000;
const EFD_CLOEXEC = 0o2000000;

/** Readable whenever the kernel is about to kill for it, in the group of this directory or in one that it is in. */
export function openMemoryEvents(directory: string): number {
  const events = call('eventfd2', 0, EFD_NONBLOCK | EFD_CLOEXEC);
  const of = open(`${directory}/memory.oom_control`, open_.readOnly);
  writeControl(`${directory}/cgroup.event_control`, `${events} ${of}`);
  close(of);
  return events;
}

/** Waits for the next ones. */
export function takeMemoryEvents(events: number): void {
  read(events, new Uint8Array(8));
}
