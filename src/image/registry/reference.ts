import { canonicalRegistry } from '../../config/index.ts';
import { type Digest, OciError, parseDockerReference } from '../../oci/index.ts';
import { ImageError } from '../error.ts';

/** An image in a registry, with all that its name leaves unsaid. */
export interface RegistryReference {
  /** `HOST[:PORT]` as it is asked for: Docker's own is `registry-1.docker.io`. */
  readonly registry: string;
  readonly repository: string;
  /** There if there is no digest; beside one it only says what the digest was called. */
  readonly tag?: string;
  readonly digest?: Digest;
}

export const DEFAULT_TAG = 'latest';

/**
 * Reads `[REG/]NAME[:TAG][@DIGEST]`, where Docker's users leave out Docker's registry, `library/` and `latest`.
 * @throws ImageError bad-reference
 */
export function parseRegistryReference(text: string): RegistryReference {
  const { registry, path, tag, digest } = parse(text);
  const name = { registry: canonicalRegistry(registry), repository: path };
  if (digest === undefined) return { ...name, tag: tag ?? DEFAULT_TAG };
  return { ...name, ...(tag === undefined ? {} : { tag }), digest };
}

/** With nothing left out: references to one image by one name are one text. */
export function formatRegistryReference({ registry, repository, tag, digest }: RegistryReference): string {
  return [`${registry}/${repository}`, tag && `:${tag}`, digest && `@${digest}`].join('');
}

function parse(text: string) {
  try {
    return parseDockerReference(text);
  } catch (cause) {
    if (!(cause instanceof OciError)) throw cause;
    throw new ImageError('bad-reference', `image name ${JSON.stringify(text)}: ${cause.message}`, { cause });
  }
}
