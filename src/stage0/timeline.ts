import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { POD } from '../abi/pod-directory.ts';
import { formatMark, type Mark } from '../abi/timeline.ts';
import { processStart, realtime } from '../os/clock.ts';
import type { Pod } from '../pod/pod.ts';

/** Notes what the start of a pod of ours has come to. */
export function noteMark(pod: Pod, name: Exclude<Mark['name'], 'hello' | 'app'>): void {
  append(pod, { name }, realtime());
}

/** As `noteMark`, of the moment when this process began. */
export function noteCommand(pod: Pod, name: 'command' | 'run-prepared'): void {
  append(pod, { name }, processStart());
}

/** `time`: milliseconds since 1970. */
function append(pod: Pod, mark: Mark, time: number): void {
  const seconds = Math.floor(time / 1000);
  const nanoseconds = Math.floor((time - seconds * 1000) * 1000) * 1000;
  appendFileSync(join(pod.path, POD.timeline), formatMark(mark, seconds, nanoseconds), { mode: 0o640 });
}
