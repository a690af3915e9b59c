/** Runs a program to its end or along a stream: execa, whose errors carry command, exit code and stderr. */
export { ExecaError as RunError, execa as run } from 'execa';

/** A descriptor that is to be open in the program, too: execa takes any, though its types know of those below ten alone. */
export function inherited(fd: number): 3 {
  return fd as 3;
}
