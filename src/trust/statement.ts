import { type Cursor, expected, fields, oneOf, type Reader, type Refuse, string } from '../appc/json.ts';
import { documentCursor, type JsonLimits, parseJsonText } from '../appc/json-document.ts';
import { readDigest } from '../oci/digest.ts';
import {
  type Digest,
  type DockerReference,
  OciError,
  parseDockerReference,
  repositoryName,
} from '../oci/index.ts';
import { TrustError } from './error.ts';

/** The two programs that make such statements name theirs differently; otherwise they are alike. */
export type StatementType = 'atomic container signature' | 'cosign container image signature';

/** What a signature of an OCI or Docker image says: the manifest of this digest is what that reference stands for. */
export interface Statement {
  readonly digest: Digest;
  readonly reference: DockerReference;
}

const LIMITS: JsonLimits = { characters: 64 * 1024, depth: 16, values: 1000 };

/**
 * Reads the payload of a signature (containers/image, atomic-signature.md, "Data format"). What is critical must be understood, so
 * an unknown member there is refused. @throws TrustError bad-payload
 */
export function readStatement(payload: Uint8Array, type: StatementType): Statement {
  const text = decodeText(payload);
  const at = documentCursor(parseJsonText(text, refuse, LIMITS), refuse, LIMITS);
  requireDistinctMembers(text, at.value);
  const statement = strictFields(at, 'critical', 'optional');
  statement.optional('optional', fields);
  return statement.required('critical', (place) => {
    const critical = strictFields(place, 'type', 'image', 'identity');
    critical.required('type', oneOf(type));
    return {
      digest: critical.required('image', onlyMember('docker-manifest-digest', readDigest)),
      reference: critical.required('identity', onlyMember('docker-reference', readReference)),
    };
  });
}

/**
 * Refuses a statement about another manifest, or about another name than the one asked for. A signed tag must be the tag asked for;
 * who asks for a digest has said what must be there, whatever its tag. @throws TrustError wrong-image, wrong-name
 */
export function requireStatementOf(statement: Statement, digest: Digest, asked: DockerReference): void {
  if (statement.digest !== digest)
    throw new TrustError('wrong-image', `signature is for the image ${statement.digest}, not for ${digest}`);
  const { reference: signed } = statement;
  const tag = asked.digest === undefined ? asked.tag : undefined;
  const isSame =
    repositoryName(signed) === repositoryName(asked) &&
    (signed.tag === undefined || tag === undefined || signed.tag === tag) &&
    (signed.digest === undefined || signed.digest === digest);
  if (!isSame)
    throw new TrustError('wrong-name', `signature is for ${written(signed)}, not for ${written(asked)}`);
}

function written(reference: DockerReference): string {
  const { tag, digest } = reference;
  const rest = [tag === undefined ? '' : `:${tag}`, digest === undefined ? '' : `@${digest}`];
  return repositoryName(reference) + rest.join('');
}

const refuse: Refuse = (_, path, problem, cause) =>
  new TrustError('bad-payload', `signed statement: ${path === '' ? '' : `${path}: `}${problem}`, { cause });

function decodeText(payload: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(payload);
  } catch (cause) {
    throw refuse('not-json', '', 'not UTF-8', cause);
  }
}

function strictFields(at: Cursor, ...known: readonly string[]) {
  const members = fields(at);
  const unknown = Object.keys(Object(at.value)).find((key) => !known.includes(key));
  if (unknown !== undefined)
    throw refuse('invalid-value', at.path, `unknown member ${JSON.stringify(unknown)}`);
  return members;
}

function onlyMember<T>(key: string, read: Reader<T>): Reader<T> {
  return (at) => strictFields(at, key).required(key, read);
}

function readReference(at: Cursor): DockerReference {
  try {
    return parseDockerReference(string(at));
  } catch (cause) {
    if (cause instanceof OciError) throw expected(at, 'a docker reference', 'invalid-value');
    throw cause;
  }
}

/** JSON.parse takes the last of two members with one name, other programs the first: who signed it may have meant the other. */
function requireDistinctMembers(text: string, value: unknown): void {
  // In JSON that has been parsed, a string before a colon is a member's name.
  const strings = text.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?/g);
  const written = [...strings].filter(([, colon]) => colon !== undefined).length;
  if (written !== countMembers(value)) throw refuse('duplicate', '', 'a member is there twice');
}

function countMembers(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const own = Array.isArray(value) ? 0 : Object.keys(value).length;
  return own + Object.values(value).reduce((sum: number, member) => sum + countMembers(member), 0);
}
