import { type Grammar, quote } from '../appc/json.ts';
import { parseWord } from '../appc/names.ts';
import { type Digest, parseDigest } from './digest.ts';
import { refuse } from './errors.ts';

/** What docker's users write, `[REGISTRY/]PATH[:TAG][@DIGEST]`, with what they left out filled in. */
export interface DockerReference {
  /** `HOST[:PORT]`; docker's own is `docker.io`, whatever name it is given. */
  readonly registry: string;
  /** With at least two elements on docker's own registry: `library/busybox`. */
  readonly path: string;
  readonly tag?: string;
  readonly digest?: Digest;
}

const DOCKER_HUB = 'docker.io';
const OTHER_NAMES: readonly string[] = ['index.docker.io', 'registry-1.docker.io', 'registry.hub.docker.com'];

const LONGEST_REPOSITORY = 255;

const registry: Grammar<string> = {
  noun: 'a registry (HOST[:PORT])',
  is: (text): text is string =>
    /^([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*|\[[0-9A-Fa-f:]+\])(:[0-9]{1,5})?$/.test(
      text,
    ),
};
const path: Grammar<string> = {
  noun: 'a repository (lower case letters and digits, joined by . _ __ - or /)',
  is: (text): text is string =>
    /^[a-z0-9]+((\.|__?|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|__?|-+)[a-z0-9]+)*)*$/.test(text),
};
const tag: Grammar<string> = {
  noun: 'a tag (letters, digits and _ . -, at most 128)',
  is: (text): text is string => /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/.test(text),
};

/**
 * Reads a reference as docker does: the first element is a registry if no path could have it. Neither tag nor digest is made up.
 * Throws OciError `invalid-value`, naming the text.
 */
export function parseDockerReference(text: string): DockerReference {
  const [named = '', ...digests] = text.split('@');
  const colon = named.indexOf(':', named.lastIndexOf('/') + 1);
  const repository = colon === -1 ? named : named.slice(0, colon);
  if (digests.length > 1) throw refuse('invalid-value', '', `more than one digest in ${quote(text)}`);
  if (repository.length > LONGEST_REPOSITORY)
    throw refuse(
      'invalid-value',
      '',
      `repository of more than ${LONGEST_REPOSITORY} characters: ${quote(text)}`,
    );
  return {
    ...parseRepository(repository),
    ...(colon === -1 ? {} : { tag: parseWord(tag, named.slice(colon + 1), refuse) }),
    ...digests.map((digest) => ({ digest: parseDigest(digest) }))[0],
  };
}

/** The name that says which repository it is, wherever it is written down: `docker.io/library/busybox`. */
export function repositoryName({ registry: host, path: name }: DockerReference): string {
  return `${host}/${name}`;
}

function parseRepository(text: string): { readonly registry: string; readonly path: string } {
  const slash = text.indexOf('/');
  const first = text.slice(0, Math.max(slash, 0));
  const isRegistry = /[.:[A-Z]/.test(first) || first === 'localhost';
  const host = isRegistry ? parseWord(registry, first, refuse) : DOCKER_HUB;
  const rest = parseWord(path, isRegistry ? text.slice(slash + 1) : text, refuse);
  if (host !== DOCKER_HUB && !OTHER_NAMES.includes(host)) return { registry: host, path: rest };
  return { registry: DOCKER_HUB, path: rest.includes('/') ? rest : `library/${rest}` };
}
