import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { TestAuthority } from './certificates.ts';
import type { Finished, RunningCommand } from './command.ts';
import { GpgHome } from './gpg.ts';
import { ImageSite } from './image-site.ts';
import { PrivateNetwork } from './private-network.ts';
import { type RktOptions, useRkt } from './rkt.ts';
import type { ScriptedServer } from './scripted-server.ts';

export interface BenchOptions extends RktOptions {
  /** Which of the host's stores: a test that has one of its own finds nothing in it. */
  readonly store?: string;
}

/**
 * Somebody who publishes images at these names, over https that an authority of their own vouches for, and a host that fetches them: with
 * rkt's defaults, so that signatures count. Neither sees any network but their own. `hidden` are names of the publisher's that the host
 * cannot look up itself.
 */
export function useFetchBench(names: readonly string[], hidden: readonly string[] = []) {
  const rkt = useRkt();
  const gpg = new GpgHome();
  const site = new ImageSite();
  let network: PrivateNetwork;
  let authority: TestAuthority;
  let server: ScriptedServer;
  beforeAll(async () => {
    mkdirSync(rkt.path('authority'));
    authority = await TestAuthority.create(rkt.path('authority'));
    const certified = [...names, ...hidden].map((name) => `DNS:${name}`).join(',');
    network = await PrivateNetwork.start(names);
    server = await network.serve(site.answer, await authority.issue('site', { names: certified }));
  });
  afterAll(async () => {
    await network?.[Symbol.asyncDispose]();
    gpg[Symbol.dispose]();
  });

  const storePath = (name: string) => rkt.path(`store-${name}`);

  /** A command line as its user would have it executed: to be started at a terminal, say. */
  const argv = (args: readonly string[], { store = 'default', insecure = 'none' }: BenchOptions = {}) =>
    network.enter(rkt.argv([`--dir=${storePath(store)}`, ...args], insecure));

  const environment = (more: Readonly<Record<string, string>> = {}) => ({
    SSL_CERT_FILE: authority.caPath,
    ...more,
  });

  const start = (args: readonly string[], options: BenchOptions = {}): RunningCommand =>
    rkt.startArgv(argv(args, options), { ...options, env: environment(options.env) });

  const run = (args: readonly string[], options: BenchOptions = {}): Promise<Finished> =>
    start(args, options).finished;

  /** Fetches an image that must be good; gives its id. */
  const fetch = async (args: readonly string[], options: BenchOptions = {}): Promise<string> => {
    const { code, stdout, stderr } = await run(['fetch', '--full', ...args], options);
    expect({ code, stdout, stderr: code === 0 ? '' : stderr }).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^sha512-[0-9a-f]{64}\n$/),
      stderr: '',
    });
    return stdout.trimEnd();
  };

  /** Fetches an image that must be refused, in one line, and of which nothing may be left; gives that line. */
  const refusal = async (args: readonly string[], options: BenchOptions & { store: string }) => {
    const { code, stdout, stderr } = await run(['fetch', ...args], options);
    const files = storeFiles(options.store);
    expect({ code, stdout, stderr, files }).toEqual({
      code: 254,
      stdout: '',
      stderr: expect.stringMatching(/^(?:image: .+\n)*fetch: .+\n$/),
      files: [],
    });
    return stderr.replace(/^image: .+\n/gm, '');
  };

  /** Every file that a store has, by its path in it; locks are of no consequence. */
  const storeFiles = (name: string): string[] => {
    const top = join(storePath(name), 'cas');
    if (!existsSync(top)) return [];
    const entries = readdirSync(top, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => !entry.isDirectory());
    const paths = files.map(({ parentPath, name: file }) => relative(top, join(parentPath, file)));
    return paths.filter((path) => !path.startsWith('locks/')).sort();
  };

  /** What of a store has been fetched in part. */
  const partials = (name: string) => {
    const paths = storeFiles(name).filter((path) => path.startsWith('partial/') && !path.endsWith('.etag'));
    return paths.map((path) => statSync(join(storePath(name), 'cas', path)));
  };

  /** Makes the host trust a key as gpg exports it now; `scope` is `--root` or `--prefix=PREFIX`. */
  const trust = async (key: string, scope: string): Promise<void> => {
    const file = rkt.path(`${key}.asc`);
    writeFileSync(file, await gpg.exportKeys([key]));
    await rkt.output(['trust', scope, '--skip-fingerprint-review', file]);
  };

  return {
    ...{ rkt, gpg, site, argv, environment, start, run, fetch, refusal, storeFiles, partials, trust },
    get network() {
      return network;
    },
    get authority() {
      return authority;
    },
    /** Of the publisher. */
    get server() {
      return server;
    },
  };
}
