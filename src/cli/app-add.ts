import type { Command } from 'commander';
import { addApp } from '../stage0/app-add.ts';
import { openHost } from '../stage0/host.ts';
import { parsePodArguments } from './app-arguments.ts';
import { ADD_FLAGS } from './app-flags.ts';
import { withAttention } from './attention.ts';
import { CliError } from './error.ts';
import { globalValues } from './flag-values.ts';
import { GLOBAL_FLAGS, hostOptions } from './global-flags.ts';
import { appRequest } from './prepare-request.ts';
import { requireRoot, subcommandOfGrammar } from './subcommand.ts';

/** `args` are read by the grammar of several images, as those of `run`: the UUID stands where a first image would. */
export function appAddCommand(summary: string, args: readonly string[]): Command {
  return subcommandOfGrammar(
    'app add',
    summary,
    args,
    ADD_FLAGS,
    'UUID IMAGE [APP FLAGS] [-- ARGUMENT...]',
  ).action(() => add(args));
}

async function add(args: readonly string[]): Promise<void> {
  requireRoot();
  const given = parsePodArguments(args, { pod: GLOBAL_FLAGS, app: ADD_FLAGS });
  const [pod, image, ...more] = given.images;
  if (pod === undefined || image === undefined || more.length > 0)
    throw new CliError('usage', 'expected the UUID of a pod and one image');
  const [misplaced] = pod.flags.keys();
  if (misplaced !== undefined) throw new CliError('usage', `--${misplaced} must follow the image`);
  if (pod.args.length > 0) throw new CliError('usage', 'an image is required before any app arguments');
  const app = appRequest(image);
  const host = openHost(hostOptions(globalValues(given.flags)));
  await withAttention(host.debug, (attention) => addApp(host, { uuid: pod.image, app }, attention));
}
