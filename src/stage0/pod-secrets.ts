/** What the secrets of a pod are when it starts, or of an app when it comes. They are in no file of the pod: its supervisor gets them in a file of memory. */
import { SECRETS_MAX_BYTES, type SecretOrigin } from '../abi/further-volumes.ts';
import { formatSecrets } from '../abi/secrets.ts';
import type { PodVolume } from '../abi/volume-plan.ts';
import { readGivenBytes } from '../os/given-file.ts';
import { openMemoryFile } from '../os/memory-file.ts';
import { Stage0Error } from './errors.ts';
import type { Environment } from './supervisor.ts';

export interface GivenSecrets {
  /** Undefined where there are none; the caller's. */
  readonly fd: number | undefined;
  /** Without the variables that are secrets: the supervisor's own can be read as long as it lives. */
  readonly environment: Environment;
}

/** Throws Stage0Error `bad-request`, which has nothing of what they are. */
export function openSecrets(volumes: readonly PodVolume[], environment: Environment): GivenSecrets {
  const secrets = volumes.filter((volume) => volume.kind === 'secret');
  if (secrets.length === 0) return { fd: undefined, environment };
  const contents = secrets.map(({ key, origin }) => [key, contentOf(key, origin, environment)] as const);
  const bytes = contents.reduce((total, [, content]) => total + content.length, 0);
  if (bytes > SECRETS_MAX_BYTES)
    throw new Stage0Error(
      'bad-request',
      `secrets have ${bytes} bytes together: ${SECRETS_MAX_BYTES} at most`,
    );
  const text = formatSecrets(new Map(contents.map(([key, content]) => [key, content.toString('base64')])));
  const named = new Set(secrets.flatMap(({ origin }) => (origin.from === 'file' ? [] : [origin.name])));
  const rest = Object.entries(environment).filter(([name]) => !named.has(name));
  return { fd: openMemoryFile('secrets', Buffer.from(text)), environment: Object.fromEntries(rest) };
}

function contentOf(key: string, { from, name }: SecretOrigin, environment: Environment): Buffer {
  switch (from) {
    case 'file':
      try {
        return readGivenBytes(name, SECRETS_MAX_BYTES);
      } catch (cause) {
        const reason = cause instanceof Error ? cause.message : String(cause);
        throw new Stage0Error('bad-request', `volume ${JSON.stringify(key)}: ${reason}`, { cause });
      }
    case 'environment': {
      const value = environment[name];
      if (value !== undefined) return Buffer.from(value);
      throw new Stage0Error(
        'bad-request',
        `volume ${JSON.stringify(key)}: there is no variable ${name} in the environment`,
      );
    }
    default:
      return from satisfies never;
  }
}
