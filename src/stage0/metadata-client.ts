import { request } from 'node:http';
import { METADATA_SOCKET } from '../abi/metadata.ts';
import { isSystemError } from '../os/syscall.ts';
import { Stage0Error } from './errors.ts';

const TIMEOUT_MILLISECONDS = 10_000;
const ANSWER_BYTES = 64 * 1024;

export interface RegistrationCall {
  readonly method: 'PUT' | 'DELETE';
  readonly path: string;
  readonly body?: string;
}

/** What the metadata service of this host answers. Throws Stage0Error `no-metadata-service`. */
export async function callMetadataService(call: RegistrationCall): Promise<string> {
  const { status, text } = await exchange(call).catch((cause: unknown) => {
    throw new Stage0Error('no-metadata-service', reasonOf(cause), { cause });
  });
  if (status === 200) return text;
  const said = text.trimEnd();
  throw new Stage0Error(
    'no-metadata-service',
    // What follows the path is the pod's token, which is for nobody's log.
    `the metadata service refuses ${call.path.replace(/\?.*/, '')}: ${said} (${status})`,
  );
}

function reasonOf(cause: unknown): string {
  const isAbsent = isSystemError(cause, 'ENOENT') || isSystemError(cause, 'ECONNREFUSED');
  if (isAbsent)
    return `no metadata service listens at ${METADATA_SOCKET}: start one by "rkt metadata-service"`;
  return `the metadata service at ${METADATA_SOCKET}: ${cause instanceof Error ? cause.message : String(cause)}`;
}

interface Answer {
  readonly status: number | undefined;
  readonly text: string;
}

function exchange({ method, path, body = '' }: RegistrationCall): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(TIMEOUT_MILLISECONDS);
    // A connection of its own: none may be left open when this process becomes another program.
    const headers = { 'content-length': Buffer.byteLength(body) };
    const sent = request({ socketPath: METADATA_SOCKET, agent: false, method, path, headers, signal });
    sent.on('error', reject);
    sent.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        text += part;
        if (text.length > ANSWER_BYTES) response.destroy(new Error('the answer is too long'));
      });
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode, text }));
    });
    sent.end(body);
  });
}
