/** rkt's stage1 interface, by its versions: what an older stage1 cannot be told. */
import { type Annotation, annotationValue } from '../appc/annotations.ts';
import { INTERFACE_VERSION_ANNOTATION, STAGE1_INTERFACE_VERSION } from './stage1.ts';

/** Of a stage1 that does not say. */
const FIRST = 1;

/** In which version an argument of `run` came, where that was not the first. */
const RUN_SINCE: Readonly<Record<string, number>> = {
  hostname: 2,
  'disable-capabilities-restriction': 3,
  'disable-paths': 3,
  'disable-seccomp': 3,
  'dns-conf-mode': 4,
  mutable: 5,
  ipc: 6,
};
const GC_SINCE: Readonly<Record<string, number>> = { 'local-config': 5 };

/** Undefined for a version that there is not, or not here. */
export function interfaceVersion(annotations: readonly Annotation[]): number | undefined {
  const version = Number(annotationValue(annotations, INTERFACE_VERSION_ANNOTATION) ?? FIRST);
  return Number.isInteger(version) && version >= FIRST && version <= STAGE1_INTERFACE_VERSION
    ? version
    : undefined;
}

/** The first argument of `run` that a stage1 of this version does not know. */
export function unknownRunArgument(args: readonly string[], version: number): string | undefined {
  return args.find((argument) => since(RUN_SINCE, argument) > version);
}

/** Arguments of `gc`, as far as a stage1 of this version knows them: it can do without the others. */
export function knownGcArguments(args: readonly string[], version: number): string[] {
  return args.filter((argument) => since(GC_SINCE, argument) <= version);
}

function since(table: Readonly<Record<string, number>>, argument: string): number {
  const [, name = ''] = /^--([^=]+)/.exec(argument) ?? [];
  return Object.hasOwn(table, name) ? (table[name] ?? FIRST) : FIRST;
}
