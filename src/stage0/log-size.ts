import { AbiError } from '../abi/json.ts';
import { LOG_SIZE_ANNOTATION, LOG_SIZE_MAX, LOG_SIZE_MIN, parseLogSize } from '../abi/log.ts';
import {
  annotationValue,
  type PodManifest,
  parseAnnotations,
  parseQuantity,
  wholeUnits,
} from '../appc/index.ts';
import { Stage0Error } from './errors.ts';

/** What is kept of each output of an app, in bytes, as `--log-size` says. Throws Stage0Error `bad-request`. */
export function requestedLogSize(text: string): number {
  const range = `from ${LOG_SIZE_MIN / 1024}Ki to ${LOG_SIZE_MAX / 1024 ** 3}Gi`;
  try {
    return parseLogSize(String(wholeUnits(parseQuantity(text))));
  } catch {
    // What is wrong with it says the range.
    throw new Stage0Error('bad-request', `--log-size: ${JSON.stringify(text)} is no size ${range}`);
  }
}

/** The manifest with the size in its annotations, where the supervisor looks for it. Throws Stage0Error `bad-request` for one that is no size. */
export function withLogSize(manifest: PodManifest, bytes: number | undefined): PodManifest {
  if (bytes === undefined) return checked(manifest);
  const others = manifest.annotations.filter(({ name }) => name !== LOG_SIZE_ANNOTATION);
  const own = parseAnnotations([{ name: LOG_SIZE_ANNOTATION, value: String(bytes) }]);
  return { ...manifest, annotations: [...others, ...own] };
}

function checked(manifest: PodManifest): PodManifest {
  const size = annotationValue(manifest.annotations, LOG_SIZE_ANNOTATION);
  try {
    if (size !== undefined) parseLogSize(size);
  } catch (cause) {
    if (!(cause instanceof AbiError)) throw cause;
    throw new Stage0Error('bad-request', cause.message);
  }
  return manifest;
}
