import { check, cpath, libc } from './syscall.ts';

const execve = libc('int execve(const char *path, const char **argv, const char **envp)');
const fcntl = libc('int fcntl(int fd, int command, long argument)');
const signal = libc('intptr_t signal(int number, intptr_t disposition)');
const closeRange = libc(
  'long syscall(long number, unsigned long first, unsigned long last, unsigned long flags)',
);

const SYS_CLOSE_RANGE = 436; // the same on every architecture
const CLOSE_RANGE_CLOEXEC = 4;
const LAST_FD = 0xffffffff;
const F_SETFD = 2;
const F_GETFL = 3;
const F_SETFL = 4;
const O_NONBLOCK = 0o4000;
const SIG_DFL = 0;
const SIGPIPE = 13;
const SIGXFSZ = 25;
const STANDARD_STREAMS = [0, 1, 2];

export interface Program {
  readonly path: string;
  /** Its name first, as in C. */
  readonly argv: readonly string[];
  /** `NAME=VALUE`. */
  readonly environment: readonly string[];
  /** Open in the program beside the three standard streams; every other fd is closed. */
  readonly fds: readonly number[];
}

/**
 * Becomes another program: the process keeps its pid, its parent and its locks, and nothing of Node stays behind.
 * What Node changed for itself is put back first: it ignores SIGPIPE and SIGXFSZ, which are inherited, and may
 * have made the streams non-blocking, which the program and whoever shares them would notice.
 */
export function replaceProcess(program: Program): never {
  const path = cpath(program.path);
  for (const number of [SIGPIPE, SIGXFSZ]) check(signal(number, SIG_DFL), 'signal');
  check(closeRange(SYS_CLOSE_RANGE, 3, LAST_FD, CLOSE_RANGE_CLOEXEC), 'close_range');
  for (const fd of [...STANDARD_STREAMS, ...program.fds]) keepOpen(fd);
  check(execve(path, [...program.argv, null], [...program.environment, null]), 'execve', path);
  throw new Error('execve returned');
}

/** As `Program.environment` has it; what is undefined is left out. */
export function formatEnvironment(environment: Readonly<Record<string, string | undefined>>): string[] {
  return Object.entries(environment).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${value}`],
  );
}

function keepOpen(fd: number): void {
  const flags = fcntl(fd, F_GETFL, 0);
  // A caller may have closed a standard stream: then there is nothing to hand on.
  if (flags < 0) return;
  if (STANDARD_STREAMS.includes(fd)) check(fcntl(fd, F_SETFL, flags & ~O_NONBLOCK), 'fcntl');
  check(fcntl(fd, F_SETFD, 0), 'fcntl');
}
