import { type Cursor, fields, string } from '../appc/json.ts';
import { documentCursor, parseJsonText } from '../appc/json-document.ts';
import { RunError, run } from '../os/run.ts';
import type { ContainerCredentials } from './container-auth-file.ts';
import { ConfigError } from './errors.ts';

const PATIENCE = 30_000;
const LARGEST_ANSWER = 64 * 1024;
const LIMITS = { characters: LARGEST_ANSWER, depth: 4, values: 100 };
/** What helpers say when they have nothing: an answer, not a failure. */
const NOT_FOUND = 'credentials not found in native keychain';
/** The user name that tells an identity token from a password. */
const TOKEN_USER = '<token>';

/**
 * Asks `docker-credential-NAME` for the credentials of a server: its address on standard input, JSON on standard output.
 * Throws ConfigError `credential-helper`. Errors carry no cause: what the helper has printed may be a secret.
 */
export async function askCredentialHelper(
  name: string,
  server: string,
  signal: AbortSignal | undefined,
): Promise<ContainerCredentials | undefined> {
  const program = `docker-credential-${name}`;
  const answer = await ask(program, server, signal);
  const refuse = (_: string, at: string) => failure(program, server, `bad answer${at && `: ${at}`}`);
  return answer === undefined
    ? undefined
    : readAnswer(documentCursor(parseJsonText(answer, refuse, LIMITS), refuse, LIMITS));
}

async function ask(
  program: string,
  server: string,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  try {
    const { stdout } = await run(program, ['get'], {
      input: server,
      timeout: PATIENCE,
      maxBuffer: LARGEST_ANSWER,
      ...(signal === undefined ? {} : { cancelSignal: signal }),
    });
    return stdout;
  } catch (error) {
    signal?.throwIfAborted();
    if (!(error instanceof RunError)) throw error;
    if (`${error.stdout}`.trim() === NOT_FOUND) return undefined;
    throw failure(program, server, reasonOf(error));
  }
}

function reasonOf(error: RunError): string {
  if (error.code === 'ENOENT') return 'no such program';
  if (error.timedOut) return `no answer in ${PATIENCE / 1000} s`;
  if (error.isMaxBuffer) return `more than ${LARGEST_ANSWER} bytes of answer`;
  // With an exit code, helpers print what went wrong where they would have printed the answer.
  const said = [error.stdout, error.stderr].map((text) => `${text ?? ''}`.trim()).find((text) => text !== '');
  return `exit code ${error.exitCode ?? error.signal}${said === undefined ? '' : `: ${said.slice(0, 200)}`}`;
}

function readAnswer(at: Cursor): ContainerCredentials {
  const answer = fields(at);
  const user = answer.required('Username', string);
  const secret = answer.required('Secret', string);
  return user === TOKEN_USER ? { identityToken: secret } : { user, password: secret };
}

function failure(program: string, server: string, reason: string): ConfigError {
  return new ConfigError('credential-helper', `${program} gave no credentials for ${server}: ${reason}`);
}
