import type { Command } from 'commander';
import { openHost } from '../stage0/host.ts';
import { fetchImage } from '../stage0/images.ts';
import { parsePodArguments } from './app-arguments.ts';
import { withAttention } from './attention.ts';
import { FETCH_FLAGS, FETCHED_IMAGE_FLAGS, fetchRequests } from './fetch-request.ts';
import { globalValues, isSet } from './flag-values.ts';
import { GLOBAL_FLAGS, hostOptions } from './global-flags.ts';
import { shortImageId } from './image-id.ts';
import { print, warn } from './output.ts';
import { deprecations } from './pull-flags.ts';
import { subcommandOfGrammar } from './subcommand.ts';

/** `args` are read by the grammar of several images. */
export function fetchCommand(summary: string, args: readonly string[]): Command {
  const operands = 'IMAGE [--signature=FILE] [IMAGE ...]';
  return subcommandOfGrammar(
    'fetch',
    summary,
    args,
    [...FETCH_FLAGS, ...FETCHED_IMAGE_FLAGS],
    operands,
  ).action(() => fetchAll(args));
}

async function fetchAll(args: readonly string[]): Promise<void> {
  const grammar = { pod: [...FETCH_FLAGS, ...GLOBAL_FLAGS], app: FETCHED_IMAGE_FLAGS };
  const given = parsePodArguments(args, grammar);
  const requests = fetchRequests(given);
  for (const text of deprecations(given.flags)) warn('fetch', text);
  const host = openHost(hostOptions(globalValues(given.flags)));
  const isFull = isSet(given.flags, 'full');
  await withAttention(host.debug, async (attention) => {
    // One after another, as in rkt: each id is printed as soon as its image is there.
    for (const request of requests) {
      attention.signal?.throwIfAborted();
      const { id } = await fetchImage(host, request, attention);
      print(`${isFull ? id : shortImageId(id, 32)}\n`);
    }
  });
}
