/** Where an app's standard streams lead, as `--stdin`, `--stdout`, `--stderr` and rkt's annotations of a pod manifest's app write it. */
import { type Annotation, annotationValue } from '../appc/annotations.ts';
import { AbiError } from './json.ts';

export const STREAMS = ['stdin', 'stdout', 'stderr'] as const;
export type StreamName = (typeof STREAMS)[number];

/**
 * `null`: nothing comes, or what is written is dropped. `stream`: `rkt attach` reaches it. `tty`: likewise, as a terminal. `log`: into the
 * log and to the caller of `rkt run`. All output but that of `null` is logged, and can be attached to.
 */
export const STREAM_MODES = {
  stdin: ['null', 'stream', 'tty'],
  stdout: ['log', 'null', 'stream', 'tty'],
  stderr: ['log', 'null', 'stream', 'tty'],
} as const;
type ModeOf<S extends StreamName> = (typeof STREAM_MODES)[S][number];

export type StreamModes =
  | { readonly kind: 'terminal' }
  | {
      readonly kind: 'pipes';
      readonly stdin: Exclude<ModeOf<'stdin'>, 'tty'>;
      readonly stdout: Exclude<ModeOf<'stdout'>, 'tty'>;
      readonly stderr: Exclude<ModeOf<'stderr'>, 'tty'>;
    };

export function streamAnnotation(stream: StreamName): string {
  return `coreos.com/rkt/stage2/${stream}`;
}

/** Those of an app that says nothing of its streams. */
export const DEFAULT_MODES = { kind: 'pipes', stdin: 'null', stdout: 'log', stderr: 'log' } as const;

/** Of a pod manifest's app. Throws AbiError `bad-plan`. */
export function streamModesOf({ annotations }: { readonly annotations: readonly Annotation[] }): StreamModes {
  const modes = {
    stdin: modeOf('stdin', annotationValue(annotations, streamAnnotation('stdin'))),
    stdout: modeOf('stdout', annotationValue(annotations, streamAnnotation('stdout'))),
    stderr: modeOf('stderr', annotationValue(annotations, streamAnnotation('stderr'))),
  };
  const { stdin, stdout, stderr } = modes;
  if (stdin !== 'tty' && stdout !== 'tty' && stderr !== 'tty')
    return {
      kind: 'pipes',
      stdin: stdin ?? DEFAULT_MODES.stdin,
      stdout: stdout ?? DEFAULT_MODES.stdout,
      stderr: stderr ?? DEFAULT_MODES.stderr,
    };
  // There is one terminal, and it is all three.
  const other = STREAMS.find((stream) => modes[stream] !== undefined && modes[stream] !== 'tty');
  if (other !== undefined)
    throw new AbiError(
      'bad-plan',
      `${other}=${modes[other]} does not go with a terminal: an app that has one has all its streams there`,
    );
  return { kind: 'terminal' };
}

function modeOf<S extends StreamName>(stream: S, text: string | undefined): ModeOf<S> | undefined {
  const known: readonly ModeOf<S>[] = STREAM_MODES[stream];
  const mode = known.find((candidate) => candidate === text);
  if (mode === undefined && text !== undefined)
    throw new AbiError(
      'bad-plan',
      `${stream}=${JSON.stringify(text)}: ${stream} is one of ${known.join(', ')}`,
    );
  return mode;
}
