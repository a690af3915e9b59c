import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { type Certificate, TestAuthority } from './certificates.ts';
import { LayoutWriter, type Written } from './layout-writer.ts';
import { passedOn, type Transfer } from './passed-on.ts';
import { randomFrom } from './random.ts';
import { TestRegistry } from './registry.ts';
import { upload } from './registry-upload.ts';
import { useRkt } from './rkt.ts';
import { type Answer, ScriptedServer } from './scripted-server.ts';
import * as tar from './tar-archive.ts';

/** A registry that a test looks into: images of its own making go in, and every request that comes for them is seen. */
export function useRegistryBench() {
  const rkt = useRkt();
  let certificate: Certificate;
  let caPath = '';
  let registry: TestRegistry;
  let layout: LayoutWriter;
  beforeAll(async () => {
    mkdirSync(rkt.path('authority'));
    const authority = await TestAuthority.create(rkt.path('authority'));
    certificate = await authority.issue('registry');
    caPath = authority.caPath;
    registry = await TestRegistry.start();
    layout = new LayoutWriter(rkt.path('layout'));
  });
  afterAll(() => registry?.close());

  /** Puts an image of these layers behind a tag; gives its manifest. */
  const publish = async (name: string, layers: readonly Buffer[]): Promise<Written> => {
    const image = layout.image({ layers });
    await upload(registry, layout, image, name);
    return image;
  };
  const manifestOf = (image: Written) => parseManifest(layout.read(image));
  const layersOf = (image: Written) => manifestOf(image).layers.map(({ digest }) => digest);

  /** The registry behind TLS, where every request can be seen, and its answer be changed. */
  const serve = (transfer?: Transfer) => serveBy(passedOn(registry.address, transfer));
  const serveBy = (answer: Answer) => ScriptedServer.start(answer, certificate);
  /** What the registry itself would answer. */
  const through: Answer = (request, response) => passedOn(registry.address)(request, response);

  const inStore = (store: string) => `--dir=${rkt.path(store)}`;
  /** What lies in a directory of a store. */
  const names = (store: string, directory: string) => readdirSync(join(rkt.path(store), 'cas', directory));
  const env = () => ({ SSL_CERT_FILE: caPath });

  /** Fetches, and tells what the server was asked for, without what all repositories begin with: `team/`. */
  const fetchFrom = async (server: ScriptedServer, name: string, flags: readonly string[]) => {
    const before = server.asked.length;
    const image = `docker://${server.address}/${name}`;
    const { code, stdout, stderr } = await rkt.run(['fetch', '--full', ...flags, image], { env: env() });
    const asked = server.asked.slice(before).map((line) => line.replace('/v2/team/', ''));
    return { code, id: stdout.trimEnd(), stderr, asked };
  };

  return {
    ...{ rkt, publish, manifestOf, layersOf, serve, serveBy, through, inStore, names, env, fetchFrom },
    get registry() {
      return registry;
    },
  };
}

/** What cannot be compressed, different for each seed. */
export function noise(seed: number, length: number): Buffer {
  const random = randomFrom(seed);
  return Buffer.from(Array.from({ length }, () => random() * 256));
}

/** With one file, of that many bytes. */
export const noisyLayer = (name: string, seed = 1, length = 1000) =>
  tar.archive(tar.file(name, noise(seed, length)));

interface Manifest {
  readonly config: { readonly digest: string };
  readonly layers: readonly { readonly digest: string }[];
}

function parseManifest(text: Buffer): Manifest {
  const manifest: unknown = JSON.parse(text.toString());
  return manifest as Manifest;
}
