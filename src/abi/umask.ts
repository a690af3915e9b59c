/** The file mode mask of an app, as `--umask` and the annotation of a pod manifest's app write it. */
import { type Annotation, annotationValue } from '../appc/annotations.ts';
import { AbiError } from './json.ts';

/** Of a pod manifest's app, or of its image. Neither appc nor OCI have a place for it. */
export const UMASK_ANNOTATION = 'coreos.com/rkt/app/umask';

/** As of rkt's apps. */
export const DEFAULT_UMASK = 0o022;

/** Octal: `27`, `027`, `0027`. Throws AbiError `bad-plan`. */
export function parseUmask(text: string): number {
  if (/^0?[0-7]{1,3}$/.test(text)) return Number.parseInt(text, 8);
  throw new AbiError(
    'bad-plan',
    `${JSON.stringify(text.slice(0, 80))} is no file mode mask: an octal number from 0 to 777`,
  );
}

export function formatUmask(mask: number): string {
  return mask.toString(8).padStart(4, '0');
}

/** Undefined: nothing is said of it. Throws AbiError `bad-plan`. */
export function umaskOf({
  annotations,
}: {
  readonly annotations: readonly Annotation[];
}): number | undefined {
  const text = annotationValue(annotations, UMASK_ANNOTATION);
  return text === undefined ? undefined : parseUmask(text);
}
