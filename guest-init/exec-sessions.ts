import type { HostMessage } from '../src/abi/guest.ts';
import { InitError } from './error.ts';
import type { HostChannel } from './host-channel.ts';
import { changesOf } from './root-disks.ts';
import type { StreamTable } from './stream-table.ts';
import { type ChildStreams, closeChildStreams } from './streams.ts';
import type { TaskOrder } from './task.ts';
import type { TaskTable } from './task-table.ts';

/** What they need of their pod. */
interface SessionSurroundings {
  readonly host: Pick<HostChannel, 'send'>;
  readonly tasks: TaskTable;
  readonly streams: StreamTable;
  readonly isRunning: boolean;
  launch(order: TaskOrder, childs: ChildStreams): void;
}

type SessionMessage = Extract<HostMessage, { type: 'exec' }>;

export function startSession(pod: SessionSurroundings, message: SessionMessage): void {
  if (pod.tasks.get(message.id) !== undefined)
    throw new InitError('host', `a second exec session ${message.id}`);
  if (message.changes === undefined) startBeside(pod, message);
  else startArchiving(pod, message, changesOf(message.changes));
}

/** Starts a process beside the main one of an app that runs; otherwise says that it cannot. */
function startBeside(pod: SessionSurroundings, { id, app, process, streams, copy }: SessionMessage): void {
  const main = pod.tasks.get(app);
  if (pod.isRunning && main?.phase === 'running' && main.kind === 'app') {
    const dwelling = { kind: 'session', app, of: main.pid, copy } as const;
    const childs = pod.streams.open(streams);
    pod.launch({ id, dwelling, process, streams, waits: false }, childs);
    closeChildStreams(childs);
    return;
  }
  pod.host.send({ type: 'failed', id, step: 'root', message: `app ${app} is not running` });
  pod.streams.attachNothing(streams);
}

/** Of an app of another pod, whose disk this machine has: there is nothing of it to join. */
function startArchiving(
  pod: SessionSurroundings,
  { id, app, process, streams }: SessionMessage,
  directory: string,
): void {
  const dwelling = { kind: 'changes', app, directory } as const;
  const childs = pod.streams.open(streams);
  pod.launch({ id, dwelling, process, streams, waits: false }, childs);
  closeChildStreams(childs);
}
