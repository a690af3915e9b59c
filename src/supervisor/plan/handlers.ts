import type { HandlersPlan, ProcessPlan } from '../../abi/boot-plan.ts';
import { type App, findIsolator } from '../../appc/index.ts';

/**
 * An app's event handlers (appc 0.8.11, aci.md). They run as root, as in rkt, to prepare what is not the user's of the app; unlike there
 * with no more capabilities and system calls than the app has, and within the same limits.
 */
export function planHandlers(
  { eventHandlers, isolators }: Pick<App, 'eventHandlers' | 'isolators'>,
  app: ProcessPlan,
): HandlersPlan {
  const plan = (name: 'pre-start' | 'post-stop'): ProcessPlan | null => {
    const handler = eventHandlers.find((candidate) => candidate.name === name);
    if (handler === undefined) return null;
    return {
      ...app,
      argv: handler.exec,
      uid: 0,
      gid: 0,
      groups: [],
      noNewPrivileges: findIsolator(isolators, 'no-new-privileges')?.value ?? false,
    };
  };
  return { preStart: plan('pre-start'), postStop: plan('post-stop') };
}
