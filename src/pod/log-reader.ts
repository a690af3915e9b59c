import { closeSync } from 'node:fs';
import { type LogStream, type SegmentPart, segmentName, segmentNumbers } from '../abi/log.ts';
import { appLogs, POD } from '../abi/pod-directory.ts';
import { type LogEntry, SegmentReader } from './log-segment.ts';

/** Where an app's log files are. */
export interface LogDirectory {
  names(): readonly string[];
  /** A new fd, or undefined where there is no such file any more. */
  open(name: string): number | undefined;
}

/** A pod's directory, as `Observation` shows it. */
export interface PodFiles {
  names(name: string): readonly string[];
  open(name: string): number | undefined;
}

/** Apps that have logs, by name. */
export function loggedApps(pod: PodFiles): string[] {
  return [...pod.names(POD.logs)].sort();
}

export function logDirectory(pod: PodFiles, app: string): LogDirectory {
  const path = appLogs(app);
  return { names: () => pod.names(path), open: (name) => pod.open(`${path}/${name}`) };
}

/** The log of one stream, read from its oldest segment on, across rotation. */
export class LogReader implements Disposable {
  #segment: SegmentReader | undefined;
  /** The number of the next segment; undefined: the first that is there. */
  #next: number | undefined;

  constructor(
    readonly directory: LogDirectory,
    readonly stream: LogStream,
  ) {}

  /** What is there now and was not read before. `isFinal`: nobody writes any more. */
  *read(isFinal: boolean): Generator<LogEntry> {
    for (;;) {
      const before = this.#segment?.time ?? 0;
      this.#segment ??= this.#open();
      const segment = this.#segment;
      if (segment === undefined) return;
      if (this.#next !== undefined && segment.number > this.#next)
        yield { kind: 'gap', time: before, lost: undefined };
      this.#next = segment.number;
      // Before it is read: a segment that has a successor is complete.
      const isComplete = this.#numbers().some((number) => number > segment.number);
      yield* segment.read(isFinal && !isComplete);
      if (!isComplete) return;
      segment[Symbol.dispose]();
      this.#segment = undefined;
      this.#next = segment.number + 1;
    }
  }

  [Symbol.dispose](): void {
    this.#segment?.[Symbol.dispose]();
    this.#segment = undefined;
  }

  #numbers(): number[] {
    return segmentNumbers(this.directory.names(), this.stream);
  }

  /** The next segment that can still be opened. */
  #open(): SegmentReader | undefined {
    for (const number of this.#numbers().filter((candidate) => candidate >= (this.#next ?? 0))) {
      const index = this.#file(number, 'index');
      const data = this.#file(number, 'data');
      if (index !== undefined && data !== undefined) return new SegmentReader(number, index, data);
      for (const fd of [index, data]) if (fd !== undefined) closeSync(fd);
    }
    return undefined;
  }

  #file(number: number, part: SegmentPart): number | undefined {
    return this.directory.open(segmentName(this.stream, number, part));
  }
}
