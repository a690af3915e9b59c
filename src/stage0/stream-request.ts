/** Where an app's standard streams lead: from a request to annotations of the pod manifest. */
import { AbiError } from '../abi/json.ts';
import { formatRestart, restartOf } from '../abi/restart.ts';
import { STREAMS, type StreamName, streamAnnotation, streamModesOf } from '../abi/stream-modes.ts';
import { annotationValue, parseACIdentifier, type RuntimeApp } from '../appc/index.ts';
import { Stage0Error } from './errors.ts';

/** What is absent is not asked for: the manifest's to say, or the default. */
export type StreamRequest = { readonly [S in StreamName]?: string };

/** The app with the request in its annotations. Throws Stage0Error `bad-request`. */
export function withStreams(app: RuntimeApp, request: StreamRequest): RuntimeApp {
  const asked = STREAMS.flatMap((stream) => {
    const value = request[stream];
    return value === undefined ? [] : [{ name: parseACIdentifier(streamAnnotation(stream)), value }];
  });
  const others = app.annotations.filter(({ name }) => !asked.some((own) => own.name === name));
  const complete = { ...app, annotations: [...others, ...asked] };
  check(complete);
  return complete;
}

function check(app: RuntimeApp): void {
  const restart = restartOf(app);
  try {
    if (streamModesOf(app).kind === 'pipes' || restart.policy === 'no') return;
  } catch (cause) {
    if (!(cause instanceof AbiError)) throw cause;
    throw new Stage0Error('bad-request', `app ${app.name}: ${cause.message}`);
  }
  throw new Stage0Error(
    'bad-request',
    `app ${app.name}: restart=${formatRestart(restart)} does not go with a terminal, which ends with its app`,
  );
}

/** With --interactive an app has the caller's streams. Throws Stage0Error `bad-request`. */
export function refuseStreams({ annotations }: Pick<RuntimeApp, 'annotations'>): void {
  for (const stream of STREAMS) {
    const mode = annotationValue(annotations, streamAnnotation(stream));
    if (mode !== undefined)
      throw new Stage0Error('bad-request', `interactive option does not go with --${stream}=${mode}`);
  }
}
