/** The file mode mask of an app: from a request, or its image, to an annotation of the pod manifest. */
import { AbiError } from '../abi/json.ts';
import { formatUmask, parseUmask, UMASK_ANNOTATION, umaskOf } from '../abi/umask.ts';
import { type ImageManifest, parseACIdentifier, type RuntimeApp } from '../appc/index.ts';
import { Stage0Error } from './errors.ts';

/** Throws Stage0Error `bad-request`. */
export function parseUmaskFlag(text: string): number {
  return reading('--umask', () => parseUmask(text));
}

/** Undefined: what a manifest says itself stays, then comes the image. Throws Stage0Error `bad-request`. */
export function withUmask(app: RuntimeApp, requested: number | undefined, image: ImageManifest): RuntimeApp {
  const own = reading(`app ${app.name}`, () => umaskOf(app));
  const ofImage = reading(`app ${app.name}: image ${image.name}`, () => umaskOf(image));
  const mask = requested ?? own ?? ofImage;
  if (mask === undefined) return app;
  return {
    ...app,
    annotations: [
      ...app.annotations.filter(({ name }) => name !== UMASK_ANNOTATION),
      { name: parseACIdentifier(UMASK_ANNOTATION), value: formatUmask(mask) },
    ],
  };
}

function reading<T>(of: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof AbiError)) throw cause;
    throw new Stage0Error('bad-request', `${of}: ${cause.message}`, { cause });
  }
}
