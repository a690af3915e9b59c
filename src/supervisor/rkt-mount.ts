/**
 * `rkt-mount ENTRYPOINT ARGUMENT...`, between stage0 and the stage1: started in the pod's directory by the `rkt`
 * command, which it has replaced, it makes the pod's mounts in a namespace of their own and is replaced by the stage1's
 * entrypoint in turn. ENTRYPOINT is relative to the pod's directory: `stage1/rootfs/run`.
 *
 * `rkt-mount --export PLAN`, of a pod that does not run or of the host: writes what the plan (`src/abi/export-plan.ts`) names to
 * standard output. `rkt-mount --import PLAN`: makes files of such an archive where the plan (`src/abi/copy-plan.ts`) says.
 */
import { EXIT } from '../abi/exit-code.ts';
import { parseMountPlan } from '../abi/mount-plan.ts';
import { POD } from '../abi/pod-directory.ts';
import { readText } from '../native/contents.ts';
import { argv, environ, utf8Encode } from '../native/engine.ts';
import { writeAll } from '../native/files.ts';
import { execve } from '../native/processes.ts';
import { endPod } from './ending.ts';
import { executeMountPlan } from './mount-execution.ts';
import { runExport, runImport } from './tree-export.ts';

const STDERR = 2;

function main(): void {
  const [, entrypoint, ...args] = argv();
  if (entrypoint === '--export') runExport(args[0] ?? '');
  if (entrypoint === '--import') runImport(args[0] ?? '');
  if (entrypoint === undefined) throw new Error('usage: rkt-mount ENTRYPOINT [ARGUMENT...]');
  executeMountPlan(parseMountPlan(JSON.parse(readText(POD.mountPlan))));
  execve(entrypoint, [entrypoint, ...args], environ());
}

try {
  main();
} catch (error) {
  writeAll(STDERR, utf8Encode(`run: ${error instanceof Error ? error.message : String(error)}\n`));
  endPod(EXIT.failure);
}
