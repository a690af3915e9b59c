import type { RktHome } from './rkt.ts';

/** `rkt run --detach ARGS`: the UUID of a pod that runs, and whose apps have been started. Somebody has to end it. */
export async function detachedPod(rkt: RktHome, args: readonly string[]): Promise<string> {
  const stdout = await rkt.output(['run', '--net=none', '--detach', ...args], { timeoutSeconds: 300 });
  return stdout.trimEnd();
}
