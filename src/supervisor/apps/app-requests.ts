import type { ControlRequest } from '../../abi/control.ts';
import type { AppAction } from '../../abi/stage1.ts';
import type { Caller } from '../control-server.ts';
import { isRefusal, type MutableApps, type Outcome } from './mutable.ts';

type AppRequest = Extract<ControlRequest, { type: 'app' }>;

/** What is asked for an app of a mutable pod. An error is the caller's to hear: the pod goes on. */
export function serveApp(apps: MutableApps, request: AppRequest, caller: Caller): undefined {
  let isGone = false;
  caller.onGone(() => {
    isGone = true;
  });
  const tell = (outcome: Outcome) => {
    caller.answer(outcome.kind === 'done' ? { type: 'done' } : { type: 'refused', message: outcome.message });
    caller.finish();
  };
  try {
    ACTIONS[request.action](apps, request, tell, () => isGone);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    caller.answer({ type: 'refused', message: error.message });
    caller.finish();
  }
}

const ACTIONS: Readonly<
  Record<
    AppAction,
    (apps: MutableApps, request: AppRequest, tell: (outcome: Outcome) => void, isGone: () => boolean) => void
  >
> = {
  add: (apps, { app, relaxations }, tell) => apps.add(app, relaxations, tell),
  start: (apps, { app }, tell, isGone) => apps.start(app, tell, isGone),
  stop: (apps, { app }, tell) => apps.stop(app, tell),
  rm: (apps, { app }, tell) => apps.remove(app, tell),
};
