/** A place in a run of a program: the nth call of a name in one of its threads. */
export interface RunPoint {
  readonly program: string;
  /** Of CNI, that it is run for; `none` outside of plugins. */
  readonly command: string;
  /** Which of the program's runs for that command, from 1. */
  readonly run: number;
  readonly call: string;
  /** From 1. */
  readonly nth: number;
}

/** What strace has said of one program, and maybe of all that it has started. */
export interface Recording {
  readonly command: string;
  readonly log: string;
}

/** The names of programs, by the path that is executed. */
export type Programs = ReadonlyMap<string, string>;

type Run = Pick<RunPoint, 'program' | 'command' | 'run'>;

/** The points of recordings that were made one after the other, each point once: threads that do the same are one. */
export function readRuns(recordings: readonly Recording[], programs: Programs): RunPoint[] {
  const points = new Map<string, RunPoint>();
  const ordinals = new Map<string, number>();
  for (const { command, log } of recordings) {
    const threads = new Threads();
    for (const line of log.split('\n')) {
      const [, thread = '', call, words = ''] = /^(?:(\d+) +)?(\w+)\((.*)/.exec(line) ?? [];
      if (call === 'execve') threads.begin(thread, nextRun(words, command, programs, ordinals));
      else if (call !== undefined) {
        const point = threads.count(thread, call);
        if (point !== undefined) points.set(JSON.stringify(point), point);
      }
      const [, parent = '', child] =
        /^(?:(\d+) +)?(?:<\.\.\. )?(?:clone3?|v?fork)\b.* = (?:.* = )?(\d+)$/.exec(line) ?? [];
      if (child !== undefined) threads.inherit(parent, child);
    }
  }
  return [...points.values()];
}

/** Undefined for a program that nobody asks for. */
function nextRun(
  words: string,
  command: string,
  programs: Programs,
  ordinals: Map<string, number>,
): Run | undefined {
  const program = programs.get(/^"([^"]*)"/.exec(words)?.[1] ?? '');
  if (program === undefined) return undefined;
  const key = `${program} ${command}`;
  const run = (ordinals.get(key) ?? 0) + 1;
  ordinals.set(key, run);
  return { program, command, run };
}

/** Which run each thread of a recording belongs to, and how often it has made each call since it began. */
class Threads {
  readonly #runs = new Map<string, Run | undefined>();
  readonly #counts = new Map<string, Map<string, number>>();

  begin(thread: string, run: Run | undefined): void {
    this.#runs.set(thread, run);
    this.#counts.set(thread, new Map());
  }

  /** By the time that its parent is told of it, a thread may have made calls already, or have become another program. */
  inherit(parent: string, child: string): void {
    if (!this.#runs.has(child)) this.#runs.set(child, this.#runs.get(parent));
  }

  count(thread: string, call: string): RunPoint | undefined {
    const counts = this.#counts.get(thread) ?? new Map<string, number>();
    this.#counts.set(thread, counts);
    const nth = (counts.get(call) ?? 0) + 1;
    counts.set(call, nth);
    const run = this.#runs.get(thread);
    return run === undefined ? undefined : { ...run, call, nth };
  }
}
