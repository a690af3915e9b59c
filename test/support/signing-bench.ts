import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { type Certificate, TestAuthority } from './certificates.ts';
import type { Finished } from './command.ts';
import { CosignSigner } from './cosign.ts';
import { GpgHome } from './gpg.ts';
import { LayoutWriter, type Written } from './layout-writer.ts';
import { TestRegistry } from './registry.ts';
import { useRkt } from './rkt.ts';
import { storeFiles } from './store-files.ts';
import * as tar from './tar-archive.ts';

/** An image that is in no registry yet. */
export interface MadeImage {
  readonly layout: LayoutWriter;
  readonly image: Written;
  /** As skopeo reads it. */
  readonly from: string;
}

/** A company that signs its images, a stranger who does so too, and a host that trusts the company. */
export function useSigningBench() {
  const rkt = useRkt();
  const gpg = new GpgHome();
  const lookasidePath = rkt.path('lookaside');
  let [images, stores] = [0, 0];
  let registry: TestRegistry;
  let certificate: Certificate;
  let keys: Readonly<Record<Signer, string>>;
  let cosign: Readonly<Record<Signer, CosignSigner>>;
  beforeAll(async () => {
    registry = await TestRegistry.start({ tls: true });
    for (const name of ['lookaside', 'registries.d', 'keys', 'authority']) mkdirSync(rkt.path(name));
    const authority = await TestAuthority.create(rkt.path('authority'));
    certificate = await authority.issue('signatures');
    const authorities = [registry.caPath ?? '', authority.caPath].map((path) => readFileSync(path, 'utf8'));
    writeFileSync(rkt.path('authorities.crt'), authorities.join(''));
    // Words of the skopeo that Debian has; newer ones call it lookaside.
    const place = { sigstore: `file://${lookasidePath}`, 'sigstore-staging': `file://${lookasidePath}` };
    writeFileSync(rkt.path('registries.d/all.yaml'), JSON.stringify({ 'default-docker': place }));
    keys = {
      company: await gpg.makeKey('Release <release@example.com>', 'ed25519'),
      stranger: await gpg.makeKey('Mallory <mallory@example.com>', 'ed25519'),
    };
    cosign = {
      company: await CosignSigner.create(rkt.path('keys'), 'company'),
      stranger: await CosignSigner.create(rkt.path('keys'), 'stranger'),
    };
    writeFileSync(rkt.path('release.asc'), await gpg.exportKeys([keys.company]));
    const prefix = `--prefix=${registry.address.replace(':', '_')}/team`;
    await rkt.output(['trust', prefix, '--skip-fingerprint-review', rkt.path('release.asc')]);
  });
  afterAll(async () => {
    gpg[Symbol.dispose]();
    await registry?.close();
  });

  /** Like no other. */
  const makeImage = (): MadeImage => {
    images += 1;
    const layout = new LayoutWriter(rkt.path(`image-${images}`));
    const image = layout.image({ layers: [tar.archive(tar.file(`${images}`, 'content'))] });
    return { layout, image, from: layout.tag(image, 'it') };
  };

  /** Pushes with skopeo, which signs it on the way. */
  const push = async (
    from: string,
    name: string,
    signer: Signer = 'company',
    flags: readonly string[] = [],
  ): Promise<void> => {
    const places = ['--insecure-policy', `--registries.d=${rkt.path('registries.d')}`];
    const signing = `--sign-by=${keys[signer].toUpperCase()}`;
    const options = ['-q', `--dest-cert-dir=${dirname(registry.caPath ?? '')}`, ...flags, signing];
    await gpg.command('skopeo', [
      ...places,
      'copy',
      ...options,
      from,
      `docker://${registry.address}/${name}`,
    ]);
  };

  /** Where skopeo has put the signatures of a manifest. */
  const signaturesOf = (repository: string, { digest }: Written): string =>
    join(lookasidePath, `${repository}@${digest.replace(':', '=')}`);

  /** Fetches into a store of its own, with this configuration of the registry; signatures count, unless told otherwise. */
  const fetchWith = async (
    config: object,
    name: string,
    { store = `store-${++stores}`, insecure = 'none' } = {},
  ): Promise<Finished & { readonly directory: string }> => {
    const directory = rkt.path(store);
    mkdirSync(join(directory, 'registries.d'), { recursive: true });
    const content = { rktKind: 'registry', rktVersion: 'v1', registries: [registry.address], ...config };
    writeFileSync(join(directory, 'registries.d/registry.json'), JSON.stringify(content));
    const flags = [`--user-config=${directory}`, `--dir=${directory}`];
    const env = { SSL_CERT_FILE: rkt.path('authorities.crt') };
    const image = `docker://${registry.address}/${name}`;
    return { ...(await rkt.run(['fetch', ...flags, image], { env, insecure })), directory };
  };

  /** Fetches what must be refused, in one line, and of which nothing may be left; gives the line. */
  const refused = async (config: object, name: string): Promise<string> => {
    const { code, stdout, stderr, directory } = await fetchWith(config, name);
    expect({ code, stdout, stderr, left: storeFiles(directory) }).toEqual({
      code: 254,
      stdout: '',
      stderr: expect.stringMatching(/^fetch: .+\n$/),
      left: [],
    });
    return stderr;
  };

  return {
    ...{ rkt, gpg, lookaside: { lookaside: `file://${lookasidePath}` }, lookasidePath },
    ...{ makeImage, push, signaturesOf, fetchWith, refused },
    get registry() {
      return registry;
    },
    get certificate() {
      return certificate;
    },
    get cosign() {
      return cosign;
    },
  };
}

export type Signer = 'company' | 'stranger';
