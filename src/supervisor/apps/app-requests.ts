import type { ControlRequest } from '../../abi/control.ts';
import type { AppAction } from '../../abi/stage1.ts';
import type { Caller } from '../control-server.ts';
import { takeSecrets } from '../volumes/given-secrets.ts';
import { type Addition, isRefusal, type MutableApps, type Outcome } from './mutable.ts';

type AppRequest = Extract<ControlRequest, { type: 'app' }>;

/** What is asked for an app of a mutable pod; `fds` are taken over. An error is the caller's to hear: the pod goes on. */
export function serveApp(
  apps: MutableApps,
  request: AppRequest,
  caller: Caller,
  fds: readonly number[],
): undefined {
  let isGone = false;
  caller.onGone(() => {
    isGone = true;
  });
  const tell = (outcome: Outcome) => {
    caller.answer(outcome.kind === 'done' ? { type: 'done' } : { type: 'refused', message: outcome.message });
    caller.finish();
  };
  try {
    ACTIONS[request.action](apps, { ...request, secrets: takeSecrets(fds) }, tell, () => isGone);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    caller.answer({ type: 'refused', message: error.message });
    caller.finish();
  }
}

const ACTIONS: Readonly<
  Record<
    AppAction,
    (
      apps: MutableApps,
      request: AppRequest & Addition,
      tell: (outcome: Outcome) => void,
      isGone: () => boolean,
    ) => void
  >
> = {
  add: (apps, { app, ...addition }, tell) => apps.add(app, addition, tell),
  start: (apps, { app }, tell, isGone) => apps.start(app, tell, isGone),
  stop: (apps, { app }, tell) => apps.stop(app, tell),
  rm: (apps, { app }, tell) => apps.remove(app, tell),
};
