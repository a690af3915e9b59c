import { DETACHED_ENV } from '../abi/stage1.ts';
import { environment } from '../native/engine.ts';

/** Whether nobody is behind the supervisor's standard streams: stderr is a file in the pod's directory, for its own words alone. */
export function isDetached(): boolean {
  return environment(DETACHED_ENV) === 'true';
}
