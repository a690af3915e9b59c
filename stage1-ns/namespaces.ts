import type { ControlGroup } from '../src/native/cgroups.ts';
import { formatGroup } from '../src/native/cgroups.ts';
import { setNonBlocking } from '../src/native/descriptors.ts';
import { unless } from '../src/native/errors.ts';
import { close, open, open_ } from '../src/native/files.ts';
import { joinSessionKeyring } from '../src/native/keyrings.ts';
import { getLimit } from '../src/native/limits.ts';
import type { Loop } from '../src/native/loop.ts';
import type { NamespaceKind } from '../src/native/mounts.ts';
import { openPipe } from '../src/native/pipes.ts';
import { type Exit, kill } from '../src/native/processes.ts';
import { signalName } from '../src/native/signals.ts';
import { socketPair } from '../src/native/sockets.ts';
import { type SpawnPlan, spawn } from '../src/native/spawn.ts';
import type { Step } from '../src/native/spawn-steps.ts';
import { joinFiles, openUnified, type PodCgroup } from '../src/supervisor/cgroup.ts';
import { SupervisorError } from '../src/supervisor/error.ts';
import { Freezer } from '../src/supervisor/freezer.ts';
import { OutputChannel } from '../src/supervisor/output-channel.ts';
import { enterMadeRoot, enterRoot, makeRoot } from '../src/supervisor/own-root.ts';
import { Messages } from '../src/supervisor/running/messages.ts';
import type { Vessel, VesselEvents } from '../src/supervisor/running/vessel.ts';
import type { RaisedLimits } from './raised-limits.ts';
import { INIT, initRoot, PRIVATE_KERNEL, privateRoot, ROOT_PLACE, type SharedGroup } from './surroundings.ts';

export interface NamespacesSetup {
  readonly cgroup: PodCgroup;
  /** Beside those of mounts, processes and host names; that of networks is the supervisor's own. */
  readonly kinds: readonly NamespaceKind[];
  /** Undefined: they belong to the host's user namespace. */
  readonly privateUsers: PrivateUsers | undefined;
}

/** Users of the pod's own. */
export interface PrivateUsers {
  /** Their namespace, by fd. */
  readonly users: number;
  /** The id of their root on the host. */
  readonly root: number;
  readonly limits: RaisedLimits;
}

const NAME = 'init';
const MESSAGE_BYTES = 8192;
const LAST_LINES = 30;
/** What programs expect to begin with; who started rkt may have more, and Node takes all it can have. */
const OPEN_FILES = 1024;
const ENVIRONMENT = ['PATH=/usr/bin:/bin'];

/** A pod's PID 1, in namespaces of its own. With it all that it has started ends. */
export class Namespaces implements Vessel {
  readonly channels: { readonly control: number; readonly data: number };
  readonly outputs: OutputChannel;
  readonly #freezer: Freezer;
  readonly #messages: Messages;
  #pid: number | undefined;
  #ending = false;

  constructor(loop: Loop, setup: NamespacesSetup, events: VesselEvents) {
    const [control, theirControl] = socketPair('stream');
    const [data, theirData] = socketPair('stream');
    const [outputs, theirOutputs] = socketPair('seqpacket');
    const messages = openPipe();
    for (const fd of [control, data, outputs, theirOutputs, messages.read]) setNonBlocking(fd, true);
    const nothing = open('/dev/null', open_.readOnly);
    const fds = [nothing, messages.write, messages.write, theirControl, theirData, theirOutputs];
    const pid = startInit(setup, fds);
    // Its end is only seen when nobody else holds its ends.
    for (const fd of [nothing, messages.write, theirControl, theirData, theirOutputs]) close(fd);
    this.#pid = pid;
    this.channels = { control, data };
    this.outputs = new OutputChannel(outputs, setup.privateUsers?.root ?? 0);
    this.#freezer = new Freezer(loop, setup.cgroup.kind === 'group' ? setup.cgroup.group : undefined);
    this.#messages = new Messages(loop, messages.read, MESSAGE_BYTES, undefined);
    loop.onExit(pid, ({ exit }) => {
      this.#pid = undefined;
      if (!this.#ending) events.failed(new SupervisorError('vessel-failed', `${NAME} ${describe(exit)}`));
      events.gone();
    });
  }

  get processes(): readonly { readonly name: string; readonly pid: number }[] {
    return this.#pid === undefined ? [] : [{ name: NAME, pid: this.#pid }];
  }

  pause(done: (refusal: string | undefined) => void): void {
    this.#freezer.freeze(done);
  }

  resume(done: (refusal: string | undefined) => void): void {
    this.#freezer.thaw(done);
  }

  kill(): void {
    this.#ending = true;
    const pid = this.#pid;
    if (pid !== undefined) unless(['ESRCH'], () => kill(pid, 'SIGKILL'));
    // Of v1, who is frozen does not even die.
    this.#freezer.thaw(() => {});
  }

  lastWords(): string[] {
    return this.#messages.lastLines(LAST_LINES).map((line) => `${NAME}: ${line}`);
  }
}

function startInit(setup: NamespacesSetup, fds: readonly number[]): number {
  const { cgroup, kinds, privateUsers } = setup;
  const group = seenByInit(setup);
  const groups = group.directories.map(({ target, path }) => ({ source: path, target }));
  using unified = openUnified(cgroup);
  return spawn({
    path: INIT,
    argv: [
      NAME,
      '--channel-fds',
      ...formatGroup({
        directories: group.directories.map(({ controller, target }) => ({ controller, path: target })),
      }),
    ],
    env: ENVIRONMENT,
    fds,
    namespaces: ['mount', 'pid', 'uts', ...kinds],
    ...(unified && { group: unified.fd }),
    ...(privateUsers === undefined
      ? { steps: stepsOf(cgroup, groups) }
      : stepsWithUsers(cgroup, groups, privateUsers)),
  });
}

/** In this order: a group's files are the host's; of groups PID 1 sees its own as the root of all; then it has no way back. */
function stepsOf(cgroup: PodCgroup, groups: readonly SharedGroup[]): Step[] {
  const entries = initRoot(groups);
  return [
    ...SESSION,
    openFiles(),
    ...joinSteps(cgroup),
    { do: 'unshare', kinds: ['cgroup'] },
    KEYRING,
    { do: 'call', name: 'root', action: () => enterRoot(entries, ROOT_PLACE) },
    LAST,
  ];
}

/**
 * The same with users of the pod's own. Until its root is `/` the process is root of the host by its number, who may go through the
 * pod's directory, though without any power there.
 */
function stepsWithUsers(
  cgroup: PodCgroup,
  groups: readonly SharedGroup[],
  { users, root, limits }: PrivateUsers,
): Pick<SpawnPlan, 'users' | 'steps'> {
  makeRoot(privateRoot(groups, root), ROOT_PLACE);
  return {
    users: { fd: users, before: [openFiles(), ...limits.before, ...joinSteps(cgroup)] },
    steps: [
      ...SESSION,
      ...limits.after,
      { do: 'unshare', kinds: ['cgroup'] },
      { do: 'call', name: 'root', action: () => enterMadeRoot(ROOT_PLACE, PRIVATE_KERNEL) },
      { do: 'groups', gids: [] },
      { do: 'gid', gid: 0 },
      { do: 'uid', uid: 0 },
      KEYRING,
      LAST,
    ],
  };
}

const SESSION: readonly Step[] = [{ do: 'session' }, { do: 'umask', mask: 0o022 }];

function openFiles(): Step {
  const { hard } = getLimit('nofile');
  return { do: 'limit', resource: 'nofile', limit: { soft: Math.min(OPEN_FILES, hard), hard } };
}

function joinSteps(cgroup: PodCgroup): Step[] {
  return joinFiles(cgroup, 'v1').map((path) => ({ do: 'write', path, text: '0' }));
}

/** Keys are the user's, whose number may be that of one of the host. */
const KEYRING: Step = { do: 'call', name: 'keyring', action: joinSessionKeyring };
const LAST: Step = { do: 'parent-death-signal', signal: 'SIGKILL' };

/** What goes to devices is bounded for the pod as a whole, and on v1 a group's limit is not one of those below it. */
function seenByInit({ cgroup, privateUsers }: NamespacesSetup) {
  const { directories }: ControlGroup = cgroup.kind === 'group' ? cgroup.group : { directories: [] };
  const hidden = privateUsers === undefined ? ['blkio'] : ['blkio', 'devices'];
  return {
    directories: directories
      .filter(({ controller }) => !hidden.includes(controller))
      .map(({ controller, path }) => ({
        ...{ controller, path },
        target: `/sys/fs/cgroup/${controller}`,
      })),
  };
}

function describe(exit: Exit): string {
  return exit.kind === 'exited'
    ? `exited with code ${exit.code}`
    : `was killed by ${signalName(exit.signal)}`;
}
