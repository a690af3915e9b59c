import { STREAM_MODES, STREAMS } from '../abi/stream-modes.ts';
import type { StreamRequest } from '../stage0/stream-request.ts';
import type { FlagValues } from './app-arguments.ts';
import { choice, Flag } from './flag.ts';
import { last, maybe } from './flag-values.ts';

/** Flags of where an app's standard streams lead. */
export const STREAM_FLAGS: readonly Flag[] = [
  new Flag('stdin', choice('MODE', STREAM_MODES.stdin), 'null, stream or tty (default: null)'),
  new Flag('stdout', choice('MODE', STREAM_MODES.stdout), 'log, null, stream or tty (default: log)'),
  new Flag('stderr', choice('MODE', STREAM_MODES.stderr), 'log, null, stream or tty (default: log)'),
];

/** What the flags of an app say of its streams: `streams` where they do. */
export function streamRequest(flags: FlagValues): { readonly streams?: StreamRequest } {
  if (!STREAMS.some((stream) => flags.has(stream))) return {};
  return {
    streams: {
      ...maybe('stdin', last(flags, 'stdin')),
      ...maybe('stdout', last(flags, 'stdout')),
      ...maybe('stderr', last(flags, 'stderr')),
    },
  };
}
