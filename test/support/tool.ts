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

/** Runs one of the system's tools and gives its standard output; one that is missing is named with its package. */
export function tool(program: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []];
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    child.once('error', (cause) => {
      const hint = `apt-get install ${PACKAGES[program] ?? program}`;
      reject(new TestSupportError('MISSING_REQUIREMENT', `cannot run ${program}: ${hint}`, { cause }));
    });
    child.once('close', (code) => {
      if (code === 0) resolve(Buffer.concat(stdout).toString());
      else reject(failed(program, args, code, Buffer.concat(stderr).toString()));
    });
  });
}

function failed(program: string, args: readonly string[], code: number | null, stderr: string): Error {
  return new TestSupportError('FIXTURE_FAILED', `${program} ${args.join(' ')}: exit code ${code}\n${stderr}`);
}
