/** The event handler that PID 1 runs when an app's main process has ended, in the mount namespace that it has kept of that one. */
import type { ProcessPlan } from '../src/abi/boot-plan.ts';
import { open, open_ } from '../src/native/files.ts';
import type { AppLife } from './app-life.ts';
import type { ChildStreams } from './streams.ts';
import type { TaskOrder } from './task.ts';

/** A terminal ends with the process that it was opened for. */
const NO_STREAMS = { kind: 'pipes', stdin: null, stdout: 0, stderr: 0 } as const;

export function postStopOrder({ app }: AppLife, process: ProcessPlan, namespace: number): TaskOrder {
  // No app, and no exec session, has such a name.
  const id = `post-stop:${app.name}`;
  const dwelling = { kind: 'handler', app: app.name, namespace } as const;
  return { id, dwelling, process, streams: NO_STREAMS, waits: false };
}

/** What of an app's streams its handler has. */
export function handlerStreams(app: ChildStreams): ChildStreams {
  if (app.kind === 'pipes') return app;
  const nowhere = () => open('/dev/null', open_.readWrite);
  return { kind: 'pipes', fds: [nowhere(), nowhere(), nowhere()] };
}
