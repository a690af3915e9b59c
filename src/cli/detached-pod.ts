import type { Detached } from '../stage0/detachment.ts';
import { print } from './output.ts';
import { printableLines } from './printable.ts';

/** What has become of a pod that was started with `--detach`: its UUID, or its exit code. */
export function show({ uuid, code, messages }: Detached): void {
  process.stderr.write(printableLines(messages));
  if (code === undefined) print(`${uuid}\n`);
  else process.exitCode = code;
}
