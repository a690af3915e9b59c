import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type RunPoint, readRuns } from './recording.ts';

/** Those that leave something: files, the kernel's tables, other programs, and the namespace that the process is in. */
const CALLS = [
  ...['openat', 'write', 'rename', 'renameat', 'renameat2', 'link', 'linkat', 'unlink', 'unlinkat'],
  ...['mkdir', 'mkdirat', 'flock', 'setns', 'unshare', 'clone', 'fork', 'vfork', 'sendto', 'sendmsg', 'kill'],
];
/** Longer than anybody needs to see that a program has come there. */
const DELAY_MICROSECONDS = 60_000_000;

/** A program that a script stands for. */
export interface Trapped {
  /** Below the trap's directory: where the script is, whose last part is the program's name. */
  readonly place: string;
  readonly program: string;
  /** What it starts is in the trap as well. */
  readonly alone?: boolean;
  /** What a shell does before. */
  readonly first?: string;
}

/**
 * A directory of scripts that stand for plugins, and for the programs that those start. Each becomes the program that it stands for:
 * recorded, or stopped at a system call for as long as it takes to kill somebody.
 */
export class Trap {
  readonly #directory: string;
  readonly #programs = new Map<string, string>();

  constructor(directory: string) {
    this.#directory = directory;
    mkdirSync(this.path('recorded'), { recursive: true });
  }

  /** The script's path. */
  stand({ place, program, alone = false, first = '' }: Trapped): string {
    const path = this.path(place);
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, this.#script(basename(path), { program, alone, first }));
    chmodSync(path, 0o755);
    this.#programs.set(program, basename(path));
    return path;
  }

  /** Records whatever comes to be run while the action goes on. */
  async record(action: () => Promise<unknown>): Promise<RunPoint[]> {
    const recorded = this.path('recorded');
    writeFileSync(this.path('recording'), '');
    await action();
    rmSync(this.path('recording'));
    const names = readdirSync(recorded).sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10));
    const recordings = names.map((name) => {
      const log = readFileSync(join(recorded, name), 'utf8');
      rmSync(join(recorded, name));
      return { command: name.split('-')[1] ?? '', log };
    });
    return readRuns(recordings, this.#programs);
  }

  /** Whoever comes to the point next stops there. */
  arm({ program, command, run, call, nth }: RunPoint): void {
    this.disarm();
    writeFileSync(this.path('armed'), `${program} ${command} ${run} ${call} ${nth}\n`);
  }

  disarm(): void {
    for (const name of ['armed', 'counted', 'log']) rmSync(this.path(name), { force: true });
  }

  /** The thread that has come to the point; undefined as long as none has. */
  caught({ call, nth }: RunPoint): number | undefined {
    const log = this.path('log');
    if (!existsSync(log)) return undefined;
    const counts = new Map<string, number>();
    for (const line of readFileSync(log, 'utf8').split('\n')) {
      const [, thread = '', name] = /^(\d+) +(\w+)\(/.exec(line) ?? [];
      if (name !== call) continue;
      const count = (counts.get(thread) ?? 0) + 1;
      counts.set(thread, count);
      if (count === nth) return Number(thread);
    }
    return undefined;
  }

  /** Of a file of its directory. */
  path(name: string): string {
    return join(this.#directory, name);
  }

  /**
   * strace goes to the background (`-D`): whoever has started the program has it, and not strace, as a child. Recorded is all that the
   * program starts, unless that is in the trap itself: nobody can be traced twice.
   */
  #script(name: string, { program, alone, first }: Required<Omit<Trapped, 'place'>>): string {
    const here = this.#directory;
    const [options, traced] = alone ? ['', ''] : ['-f', 'export TRACED=yes'];
    return `#!/bin/sh
${first}
export PATH="${here}/programs:\${PATH-/usr/sbin:/usr/bin:/sbin:/bin}"
command=\${CNI_COMMAND-none}
if [ -e ${here}/recording ] && [ -z "$TRACED" ]; then
  ${traced}
  number=$(ls ${here}/recorded | wc -l)
  exec strace -D ${options} -qq -o "${here}/recorded/$number-$command" -e trace=execve,${CALLS.join(',')} ${program} "$@"
fi
if [ -e ${here}/armed ]; then
  read -r armed for run call nth < ${here}/armed
  if [ "$armed $for" = "${name} $command" ]; then
    echo >> ${here}/counted
    if [ "$(wc -l < ${here}/counted)" = "$run" ]; then
      exec strace -D -f -qq -o ${here}/log -e trace=$call -e inject=$call:delay_enter=${DELAY_MICROSECONDS}:when=$nth ${program} "$@"
    fi
  fi
fi
exec ${program} "$@"
`;
  }
}
