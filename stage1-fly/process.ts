/** What an app's process is, and whoever enters it: its program, environment and user, as its manifests say. */
import { startFailureCode } from '../src/abi/exit-code.ts';
import type { StartStep } from '../src/abi/guest.ts';
import type { EnvironmentVariable } from '../src/appc/index.ts';
import { environment } from '../src/native/engine.ts';
import { SystemError } from '../src/native/errors.ts';
import { explainExecFailure } from '../src/native/exec-failure.ts';
import { execve } from '../src/native/processes.ts';
import { pathOf, searchProgram } from '../src/native/program-search.ts';
import type { Step } from '../src/native/spawn-steps.ts';
import { SupervisorError } from '../src/supervisor/error.ts';
import { metadataEnvironment } from '../src/supervisor/metadata.ts';
import { defaultEnvironment } from '../src/supervisor/plan/environment.ts';
import { imageUsers } from '../src/supervisor/plan/image-users.ts';
import type { PodApp } from '../src/supervisor/plan/pod.ts';
import { resolveIdentity } from '../src/supervisor/plan/users.ts';

export interface FlyProcess {
  readonly argv: readonly string[];
  /** `NAME=VALUE` */
  readonly env: readonly string[];
  readonly workingDirectory: string;
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
  readonly umask: number;
}

const LOCALHOST = '127.0.0.1';

/** What the app is told whatever its image says: where the metadata service is, on the network that both are on. */
export function ownEnvironment(mdsToken: string | null): EnvironmentVariable[] {
  return metadataEnvironment({ mdsToken }, () => LOCALHOST);
}

/** Of the caller's terminal. */
export function terminalType(): string {
  return environment('TERM') ?? 'xterm';
}

/** `more` is for the environment, whatever the image says; `term` where the process has a terminal. @throws SupervisorError `unknown-user` */
export function planProcess(
  { name, app, rootfs, umask }: PodApp,
  more: readonly EnvironmentVariable[],
  term: string | undefined,
): FlyProcess {
  const identity = resolveIdentity(app, imageUsers(rootfs));
  const variables = [...defaultEnvironment(name, identity, term), ...app.environment, ...more];
  const values = new Map(variables.map((variable) => [variable.name, variable.value]));
  return {
    argv: app.exec,
    env: [...values].map(([key, value]) => `${key}=${value}`),
    workingDirectory: app.workingDirectory ?? '/',
    uid: identity.uid,
    gid: identity.gid,
    groups: app.supplementaryGIDs,
    umask,
  };
}

/** In the app's root: who the process is, and where. Root keeps all its rights, as in rkt. */
export function identitySteps({ workingDirectory, uid, gid, groups, umask }: FlyProcess): Step[] {
  return [
    { do: 'umask', mask: umask },
    { do: 'directory', path: workingDirectory },
    { do: 'groups', gids: groups },
    { do: 'gid', gid },
    { do: 'uid', uid },
  ];
}

/** The last step: the process becomes its program. It returns only by throwing, with words for whoever asked for it. */
export function becomeProgram({ argv, env }: FlyProcess): never {
  const [name = ''] = argv;
  const path = searchProgram(name, env);
  if (path === undefined)
    throw new SupervisorError('not-started', `${name}: not found in PATH (${pathOf(env)})`);
  try {
    return execve(path, argv, env);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    throw new SupervisorError('not-started', explainExecFailure(path, -error.errno), { cause: error });
  }
}

/** Names of steps, as a failure of theirs is recorded. */
const STEPS: Readonly<Record<string, StartStep>> = {
  directory: 'working-directory',
  groups: 'groups',
  gid: 'groups',
  uid: 'user',
  exec: 'exec',
};

/** The exit code of a process that could not be started. Other steps are those that lead to its root. */
export function failureCode(step: string): number {
  return startFailureCode(STEPS[step] ?? 'root');
}
