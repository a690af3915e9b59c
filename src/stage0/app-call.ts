import { SECRETS_ENV } from '../abi/secrets.ts';
import {
  type AppAction,
  type AppRelaxations,
  ENTER_APP_ENV,
  ENTER_COMMAND_ENV,
  ENTER_PID_ENV,
  formatAppArguments,
} from '../abi/stage1.ts';
import { podPath } from '../pod/directory.ts';
import { readPod } from '../pod/record.ts';
import { findEntrypoint } from './entrypoint.ts';
import { Stage0Error } from './errors.ts';
import type { Host } from './host.ts';
import type { Mutation } from './mutation.ts';
import { hasEnded } from './patience.ts';
import type { GivenSecrets } from './pod-secrets.ts';

/** What follows the standard streams. */
const FIRST_OWN_FD = 3;
/** More than any of it takes: apps have their grace, and a host under load is slow. */
const CALL_MILLISECONDS = 120_000;

/**
 * Asks the stage1 of a mutable pod that runs to do something for one app, which may come with secrets, and waits until it has. Throws Stage0Error `not-running`
 * when the pod has ended meanwhile, `refused` with the stage1's words, `bad-stage1` when it has no such entrypoint.
 */
export async function callForApp(
  host: Host,
  { pod }: Pick<Mutation, 'pod'>,
  action: AppAction,
  app: string,
  { fd, environment }: GivenSecrets = { fd: undefined, environment: process.env },
): Promise<void> {
  const name = `app/${action}` as const;
  const cwd = podPath(pod);
  const program = findEntrypoint(cwd, name);
  if (program === undefined)
    throw new Stage0Error('bad-stage1', `the pod's stage1 has no ${name} entrypoint`);
  const added = action === 'add' ? { uuid: pod.uuid, ...relaxationsOf(host) } : undefined;
  const args = formatAppArguments({ app, debug: host.debug, ...(added === undefined ? {} : { added }) });
  const { inherited, run } = await import('../os/run.ts');
  const { failed, all, shortMessage } = await run(program, args, {
    cwd,
    all: true,
    reject: false,
    stdio: ['ignore', 'pipe', 'pipe', ...(fd === undefined ? [] : [inherited(fd)])],
    timeout: CALL_MILLISECONDS,
    extendEnv: false,
    env: {
      ...environment,
      [SECRETS_ENV]: fd === undefined ? undefined : String(FIRST_OWN_FD),
      [ENTER_COMMAND_ENV]: findEntrypoint(cwd, 'enter') ?? '',
      [ENTER_PID_ENV]: String(readPod(pod)?.pid ?? ''),
      [ENTER_APP_ENV]: app,
    },
  });
  if (!failed) return;
  if (hasEnded(pod))
    throw new Stage0Error('not-running', `pod ${JSON.stringify(pod.uuid)} has ended meanwhile`);
  const said = (all ?? '').trim();
  throw new Stage0Error('refused', said.replace(`${name}: `, '') || (shortMessage ?? `${name} failed`));
}

function relaxationsOf({ insecure }: Host): AppRelaxations {
  return {
    disableCapabilitiesRestriction: insecure.has('capabilities'),
    disablePaths: insecure.has('paths'),
    disableSeccomp: insecure.has('seccomp'),
  };
}
