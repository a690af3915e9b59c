import { spawn } from 'node:child_process';
import { TestSupportError } from './error.ts';

/** The Debian packages of the tools that fixtures are built with. */
const PACKAGES: Readonly<Record<string, string>> = {
  bzip2: 'bzip2',
  'docker-registry': 'docker-registry',
  gpg: 'gnupg',
  htpasswd: 'apache2-utils',
  mmdebstrap: 'mmdebstrap',
  openssl: 'openssl',
  skopeo: 'skopeo',
  strace: 'strace',
  umoci: 'umoci',
  xz: 'xz-utils',
  zstd: 'zstd',
};

export interface ToolOptions {
  /** All of its standard input. */
  readonly input?: string | Uint8Array;
  /** Beside this process's own. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs one of the system's tools and gives its standard output; one that is missing is named with its package. */
export async function tool(program: string, args: readonly string[]): Promise<string> {
  return (await toolBytes(program, args)).toString();
}

/** As `tool`, for what is no text. */
export function toolBytes(
  program: string,
  args: readonly string[],
  { input = '', env = {} }: ToolOptions = {},
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'pipe', env: { ...process.env, ...env } });
    const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []];
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    // It may end without having read its input.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    child.once('error', (cause) => {
      const hint = `apt-get install ${PACKAGES[program] ?? program}`;
      reject(new TestSupportError('MISSING_REQUIREMENT', `cannot run ${program}: ${hint}`, { cause }));
    });
    child.once('close', (code) => {
      if (code === 0) resolve(Buffer.concat(stdout));
      else reject(failed(program, args, code, Buffer.concat(stderr).toString()));
    });
  });
}

function failed(program: string, args: readonly string[], code: number | null, stderr: string): Error {
  return new TestSupportError('FIXTURE_FAILED', `${program} ${args.join(' ')}: exit code ${code}\n${stderr}`);
}
