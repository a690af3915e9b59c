import type { Command } from 'commander';
import { openHost } from '../stage0/host.ts';
import { type RunRequest, run } from '../stage0/run.ts';
import { sandboxPod } from '../stage0/sandbox.ts';
import { type PodArguments, parsePodArguments } from './app-arguments.ts';
import { SANDBOX_FLAGS } from './app-flags.ts';
import { withAttention } from './attention.ts';
import { show } from './detached-pod.ts';
import { CliError } from './error.ts';
import { globalValues, isSet, last, maybe } from './flag-values.ts';
import { GLOBAL_FLAGS, hostOptions } from './global-flags.ts';
import { podIsolatorRequest } from './isolator-flags.ts';
import { portRequest, refuseUselessPorts } from './port-flags.ts';
import { logSize, marks, podName, stage1Choice } from './prepare-request.ts';
import { startRequest, startValues } from './run-request.ts';
import { requireRoot, subcommandOfGrammar } from './subcommand.ts';

/** `args` are read as those of `run`, whose flags these are. */
export function appSandboxCommand(summary: string, args: readonly string[]): Command {
  return subcommandOfGrammar('app sandbox', summary, args, SANDBOX_FLAGS).action(() => runSandbox(args));
}

async function runSandbox(args: readonly string[]): Promise<void> {
  requireRoot();
  const given = parsePodArguments(args, { pod: [...SANDBOX_FLAGS, ...GLOBAL_FLAGS], app: [] });
  const request = sandboxRequest(given);
  const host = openHost(hostOptions(globalValues(given.flags)));
  show(await withAttention(host.debug, (attention) => run(host, request, process.env, attention)));
}

/** Throws CliError `usage`. */
function sandboxRequest({ flags, images }: PodArguments): RunRequest {
  const [image] = images;
  if (image !== undefined)
    throw new CliError('usage', `a sandbox begins without apps: add ${image.image} by "rkt app add"`);
  const start = startRequest(startValues(flags));
  refuseUselessPorts(flags, start);
  // What is copied into a pod that runs has the ids of its image, which are not those of the pod's users.
  if (isSet(flags, 'private-users') && isSet(flags, 'no-overlay'))
    throw new CliError('usage', '--private-users does not go with --no-overlay in a sandbox');
  return {
    pod: sandboxPod({
      ...marks(flags),
      ...portRequest(flags, 'sandbox'),
      ...podIsolatorRequest(flags),
      ...maybe('memory', last(flags, 'memory')),
      ...maybe('cpu', last(flags, 'cpu')),
    }),
    stage1: stage1Choice(flags),
    roots: isSet(flags, 'no-overlay') ? 'copy' : 'overlay',
    ...(isSet(flags, 'private-users') ? { privateUsers: true } : {}),
    pullPolicy: 'never',
    authFiles: [],
    ...podName(flags),
    ...logSize(flags),
    ...start,
    mutable: true,
    uuidFile: last(flags, 'uuid-file-save'),
  };
}
