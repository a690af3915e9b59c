import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { get as httpGet } from 'node:http';
import { get as httpsGet } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TestAuthority } from './certificates.ts';
import { TestSupportError } from './error.ts';
import { eventually } from './polling.ts';
import { tool } from './tool.ts';

export interface RegistryOptions {
  /** With a certificate of an authority of its own; without: plain http. */
  readonly tls?: boolean;
  /** Without: everybody may push and pull. */
  readonly login?: { readonly user: string; readonly password: string };
}

/** Debian's docker-registry on a port of its own, with nothing in it. */
export class TestRegistry implements AsyncDisposable {
  /** `127.0.0.1:PORT`. */
  readonly address: string;
  /** Whom to trust; undefined without TLS. */
  readonly caPath: string | undefined;
  readonly #directory: string;
  readonly #child: ChildProcess;
  readonly #options: RegistryOptions;

  private constructor(
    directory: string,
    child: ChildProcess,
    { address, caPath }: { address: string; caPath: string | undefined },
    options: RegistryOptions,
  ) {
    this.#directory = directory;
    this.#child = child;
    this.address = address;
    this.caPath = caPath;
    this.#options = options;
  }

  static async start(options: RegistryOptions = {}): Promise<TestRegistry> {
    const directory = mkdtempSync(join(tmpdir(), 'rkt-registry-'));
    const caPath = await configure(directory, options);
    const child = await serve(directory);
    const address = await eventually('docker-registry says where it listens', () => {
      const log = readFileSync(join(directory, 'log'), 'utf8');
      if (child.exitCode !== null) throw new TestSupportError('FIXTURE_FAILED', `docker-registry: ${log}`);
      return /listening on (127\.0\.0\.1:\d+)/.exec(log)?.[1];
    });
    const registry = new TestRegistry(directory, child, { address, caPath }, options);
    await eventually('docker-registry answers', () => registry.#answers());
    return registry;
  }

  /**
   * Copies an image into it with skopeo. `from` is in skopeo's words (`oci:DIR:TAG`), `name` is `REPOSITORY[:TAG]`;
   * `flags` are of `skopeo copy` (`--format=v2s2`, `--all`, `--dest-compress-format=zstd`).
   */
  async push(from: string, name: string, flags: readonly string[] = []): Promise<void> {
    const { login } = this.#options;
    const trust = this.caPath === undefined ? '--dest-tls-verify=false' : `--dest-cert-dir=${this.#trustDir}`;
    const credentials = login === undefined ? [] : [`--dest-creds=${login.user}:${login.password}`];
    const copy = ['--insecure-policy', 'copy', '-q', trust, ...credentials, ...flags];
    await tool('skopeo', [...copy, from, `docker://${this.address}/${name}`]);
  }

  /** What `skopeo inspect` prints of an image in it; with `--raw` among the flags, the manifest. */
  inspect(name: string, flags: readonly string[] = []): Promise<string> {
    const { login } = this.#options;
    const trust = this.caPath === undefined ? '--tls-verify=false' : `--cert-dir=${this.#trustDir}`;
    const credentials = login === undefined ? [] : [`--creds=${login.user}:${login.password}`];
    return tool('skopeo', ['inspect', trust, ...credentials, ...flags, `docker://${this.address}/${name}`]);
  }

  /** Who may push. */
  get login(): RegistryOptions['login'] {
    return this.#options.login;
  }

  /** What it was asked for so far: `GET /v2/tiny/manifests/latest 200`. */
  requests(): string[] {
    const log = readFileSync(join(this.#directory, 'access.log'), 'utf8');
    return [...log.matchAll(/"([A-Z]+ \S+) HTTP[^"]*" (\d+)/g)].map(
      ([, what, status]) => `${what} ${status}`,
    );
  }

  async close(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const ended = once(this.#child, 'exit');
      this.#child.kill('SIGKILL');
      await ended;
    }
    rmSync(this.#directory, { recursive: true, force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  // skopeo takes every file of a directory for something: the authority's certificate is alone in this one.
  get #trustDir(): string {
    return join(this.#directory, 'trust');
  }

  #answers(): Promise<boolean> {
    const ca = this.caPath === undefined ? undefined : readFileSync(this.caPath);
    return new Promise((resolve) => {
      const url = `${ca === undefined ? 'http' : 'https'}://${this.address}/v2/`;
      const request = ca === undefined ? httpGet(url) : httpsGet(url, { ca, agent: false });
      request.once('response', (response) => {
        response.resume();
        resolve(response.statusCode === 200 || response.statusCode === 401);
      });
      request.once('error', () => resolve(false));
    });
  }
}

/** Writes what it is started with; returns the authority's certificate, if it has one. */
async function configure(directory: string, { tls, login }: RegistryOptions): Promise<string | undefined> {
  const at = (name: string) => join(directory, name);
  const certified = tls === true ? await certify(at) : undefined;
  if (login !== undefined) {
    writeFileSync(at('htpasswd'), await tool('htpasswd', ['-Bbn', login.user, login.password]));
  }
  const auth = login === undefined ? {} : { auth: { htpasswd: { realm: 'test', path: at('htpasswd') } } };
  const http = { addr: '127.0.0.1:0', ...(certified === undefined ? {} : { tls: certified.settings }) };
  const storage = { filesystem: { rootdirectory: at('data') }, delete: { enabled: true } };
  // JSON is YAML.
  writeFileSync(at('config.yml'), JSON.stringify({ version: '0.1', storage, http, ...auth }));
  return certified?.caPath;
}

async function certify(at: (name: string) => string) {
  for (const name of ['authority', 'trust']) mkdirSync(at(name));
  const authority = await TestAuthority.create(at('authority'));
  const { certificatePath, keyPath } = await authority.issue('registry');
  const caPath = at('trust/ca.crt');
  copyFileSync(authority.caPath, caPath);
  return { caPath, settings: { certificate: certificatePath, key: keyPath } };
}

async function serve(directory: string): Promise<ChildProcess> {
  // Here it is known to be missing; below, its parent is setpriv, so that it does not outlive a test that was killed.
  await tool('docker-registry', ['--version']);
  const [log, access] = ['log', 'access.log'].map((name) => openSync(join(directory, name), 'a'));
  try {
    const command = ['docker-registry', 'serve', join(directory, 'config.yml')];
    return spawn('setpriv', ['--pdeathsig=KILL', ...command], { stdio: ['ignore', access, log] });
  } finally {
    for (const fd of [log, access]) if (fd !== undefined) closeSync(fd);
  }
}
