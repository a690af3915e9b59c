/**
 * How a pod of `--rm` goes: its supervisor's last act is to call the command that removes it, so that nobody has to wait beside
 * the pod. stage0 says how in a variable of the supervisor's environment; no guest has a say in that.
 */
import { AbiError, FieldReader } from './json.ts';

export const REMOVAL_ENV = 'RKT_REMOVAL';

/** Annotation of a stage1's manifest, `true`: its `run` does what `RKT_REMOVAL` says. */
export const REMOVAL_ANNOTATION = 'coreos.com/rkt/stage1/removal';

export interface Removal {
  /** Open fds of the namespaces that `rkt` was started in: the pod's own mounts must not be there when it is removed. */
  readonly mountNamespace: number;
  readonly networkNamespace: number;
  /** The command line, the path of its program first. */
  readonly command: readonly string[];
}

const FD_MAX = 65535;
const WORDS_MAX = 64;

export function formatRemoval(removal: Removal): string {
  return JSON.stringify(removal);
}

/** Inverse of `formatRemoval`. @throws AbiError `bad-arguments` */
export function parseRemoval(text: string): Removal {
  const removal = new FieldReader(parseJson(text), REMOVAL_ENV);
  const command = removal.texts('command', WORDS_MAX);
  if (command.length === 0) throw new AbiError('bad-arguments', `${REMOVAL_ENV}.command: is empty`);
  return {
    mountNamespace: removal.integer('mountNamespace', 3, FD_MAX),
    networkNamespace: removal.integer('networkNamespace', 3, FD_MAX),
    command,
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new AbiError('bad-arguments', `${REMOVAL_ENV} is not JSON: ${JSON.stringify(text.slice(0, 80))}`, {
      cause,
    });
  }
}
