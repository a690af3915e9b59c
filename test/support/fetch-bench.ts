import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { TestAuthority } from './certificates.ts';
import type { Finished, RunningCommand } from './command.ts';
import { TestSupportError } from './error.ts';
import { GpgHome } from './gpg.ts';
import { ImageSite, metaPage } from './image-site.ts';
import { PrivateNetwork } from './private-network.ts';
import { type RktHome, type RktOptions, useRkt } from './rkt.ts';
import type { ScriptedServer } from './scripted-server.ts';

export interface BenchOptions extends RktOptions {
  /** Which of the host's stores: a test that has one of its own finds nothing in it. */
  readonly store?: string;
}

interface Publisher {
  readonly authority: TestAuthority;
  readonly network: PrivateNetwork;
  readonly server: ScriptedServer;
}

/**
 * Somebody who publishes images, over https that an authority of their own vouches for, and a host that fetches them: with rkt's
 * defaults, so that signatures count. Neither sees any network but their own.
 */
export class FetchBench {
  readonly rkt: RktHome;
  readonly gpg = new GpgHome();
  readonly site = new ImageSite();
  readonly #name: string;
  #publisher: Publisher | undefined;
  #files = 0;

  constructor(rkt: RktHome, name: string) {
    this.rkt = rkt;
    this.#name = name;
  }

  /** `names` are what the publisher is called; `hidden` those that the host cannot look up itself. */
  async open(names: readonly string[], hidden: readonly string[]): Promise<void> {
    const directory = this.rkt.path('authority');
    mkdirSync(directory);
    const authority = await TestAuthority.create(directory);
    const certified = [...names, ...hidden].map((name) => `DNS:${name}`).join(',');
    const network = await PrivateNetwork.start(names);
    const server = await network.serve(this.site.answer, await authority.issue('site', { names: certified }));
    this.#publisher = { authority, network, server };
  }

  async close(): Promise<void> {
    await this.#publisher?.network[Symbol.asyncDispose]();
    this.gpg[Symbol.dispose]();
  }

  /** The publisher's. */
  get authority(): TestAuthority {
    return this.#open.authority;
  }

  get network(): PrivateNetwork {
    return this.#open.network;
  }

  get server(): ScriptedServer {
    return this.#open.server;
  }

  /** A command line as its user would have it executed: to be started at a terminal, say. */
  argv(args: readonly string[], { store = 'default', insecure = 'none' }: BenchOptions = {}): string[] {
    return this.network.enter(this.rkt.argv([`--dir=${this.#storePath(store)}`, ...args], insecure));
  }

  /** What has to be in the environment of whoever is to believe the publisher's server. */
  get environment(): Readonly<Record<string, string>> {
    return { SSL_CERT_FILE: this.authority.caPath };
  }

  start(args: readonly string[], options: BenchOptions = {}): RunningCommand {
    const env = { ...this.environment, ...options.env };
    return this.rkt.startArgv(this.argv(args, options), { ...options, env });
  }

  run(args: readonly string[], options: BenchOptions = {}): Promise<Finished> {
    return this.start(args, options).finished;
  }

  /** Fetches an image that must be good; gives its id. */
  async fetch(args: readonly string[], options: BenchOptions = {}): Promise<string> {
    const { code, stdout, stderr } = await this.run(['fetch', '--full', ...args], options);
    expect({ code, stdout, stderr: code === 0 ? '' : stderr }).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^sha512-[0-9a-f]{64}\n$/),
      stderr: '',
    });
    return stdout.trimEnd();
  }

  /** Fetches an image that must be refused, in one line, and of which nothing may be left; gives that line. */
  async refusal(args: readonly string[], options: BenchOptions & { store: string }): Promise<string> {
    const { code, stdout, stderr } = await this.run(['fetch', ...args], options);
    expect({ code, stdout, stderr, files: this.storeFiles(options.store) }).toEqual({
      code: 254,
      stdout: '',
      stderr: expect.stringMatching(/^(?:image: .+\n)*fetch: .+\n$/),
      files: [],
    });
    return stderr.replace(/^image: .+\n/gm, '');
  }

  /** Every file that a store has, by its path in it; locks are of no consequence. */
  storeFiles(store: string): string[] {
    const top = join(this.#storePath(store), 'cas');
    if (!existsSync(top)) return [];
    const entries = readdirSync(top, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => !entry.isDirectory());
    const paths = files.map(({ parentPath, name }) => relative(top, join(parentPath, name)));
    return paths.filter((path) => !path.startsWith('locks/')).sort();
  }

  /** What of a store has been fetched in part. */
  partials(store: string): ReadonlyArray<{ readonly path: string; readonly size: number }> {
    const names = this.storeFiles(store).filter((path) => /^partial\/.*(?<!\.etag)$/.test(path));
    const paths = names.map((name) => join(this.#storePath(store), 'cas', name));
    return paths.map((path) => ({ path, size: statSync(path).size }));
  }

  /** Makes the publisher's page say where images are. */
  announce(): void {
    const template = `https://${this.#name}/images/{name}-{version}.{ext}`;
    this.site.put('/', metaPage(['ac-discovery', `${this.#name} ${template}`]));
  }

  /** Puts an image where the announcement says. */
  publish(name: string, content: Uint8Array, version = 'latest'): void {
    this.site.put(`/images/${name}-${version}.aci`, content);
  }

  /** An image that nobody has published; gives the path of its file. */
  local(content: Uint8Array): string {
    const path = this.rkt.path(`local-${++this.#files}.aci`);
    writeFileSync(path, content);
    return path;
  }

  /** Makes the host trust a key as gpg exports it now; `scope` is `--root` or `--prefix=PREFIX`. */
  async trust(key: string, scope: string): Promise<void> {
    const file = this.rkt.path(`${key}.asc`);
    writeFileSync(file, await this.gpg.exportKeys([key]));
    await this.rkt.output(['trust', scope, '--skip-fingerprint-review', file]);
  }

  get #open(): Publisher {
    if (this.#publisher !== undefined) return this.#publisher;
    throw new TestSupportError('FIXTURE_FAILED', 'the bench is not open');
  }

  #storePath(store: string): string {
    return this.rkt.path(`store-${store}`);
  }
}

/** A bench for the tests of one file; its publisher's first name is that of images' pages. */
export function useFetchBench(
  [name, ...others]: readonly [string, ...string[]],
  hidden: readonly string[] = [],
): FetchBench {
  const bench = new FetchBench(useRkt(), name);
  beforeAll(() => bench.open([name, ...others], hidden));
  afterAll(() => bench.close());
  return bench;
}
