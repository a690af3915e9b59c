import type { FetchRequest } from '../stage0/images.ts';
import type { PodArguments } from './app-arguments.ts';
import { CliError } from './error.ts';
import { boolean, Flag } from './flag.ts';
import { maybe } from './flag-values.ts';
import { pullFlags, pullOptions, signature, signatureFlag } from './pull-flags.ts';

/** As in rkt: who fetches wants what is there now. */
const PULL_POLICY = 'update';

export const FETCH_FLAGS: readonly Flag[] = [
  ...pullFlags(PULL_POLICY),
  new Flag('full', boolean, 'print whole image ids'),
];

export const FETCHED_IMAGE_FLAGS: readonly Flag[] = [
  signatureFlag().helpGroup('Flags of the image before them:'),
];

/** What a command line of `fetch` asks for, in its order. Throws CliError `usage`. */
export function fetchRequests({ flags, images }: PodArguments): readonly FetchRequest[] {
  if (images.length === 0) throw new CliError('usage', 'must provide at least one image');
  const options = pullOptions(flags, PULL_POLICY);
  return images.map(({ image, flags: own, args }) => {
    if (args.length > 0) throw new CliError('usage', `${args[0]}: only run takes arguments of apps`);
    return { ...options, image, ...maybe('signature', signature(own)) };
  });
}
