/** Runs a program to its end or along a stream: execa, whose errors carry command, exit code and stderr. */
export { ExecaError as RunError, execa as run } from 'execa';
