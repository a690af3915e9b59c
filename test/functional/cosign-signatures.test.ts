import { writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type CosignStatement, cosignTag } from '../support/cosign.ts';
import type { LayoutWriter, Written } from '../support/layout-writer.ts';
import { upload } from '../support/registry-upload.ts';
import { type Signer, useSigningBench } from '../support/signing-bench.ts';

// Signatures that are in the registry, as cosign's public format has them, with keys from the configuration.

const bench = useSigningBench();
const { makeImage, fetchWith, refused } = bench;

const keys = (...signers: readonly Signer[]) => ({
  cosignKeys: signers.map((signer) => bench.cosign[signer].publicKeyPath),
});
const repositoryOf = (name: string) => name.replace(/:.*/, '');
const statementOn = (image: Written, name: string): CosignStatement => ({
  digest: image.digest,
  reference: `${bench.registry.address}/${repositoryOf(name)}`,
});

/** Puts a signature where it is looked for. */
async function attach(layout: LayoutWriter, signature: Written, image: Written, name: string): Promise<void> {
  await upload(bench.registry, layout, signature, `${repositoryOf(name)}:${cosignTag(image.digest)}`);
}

interface Signing {
  readonly signer?: Signer;
  /** What is signed instead of the truth. */
  readonly signed?: Partial<CosignStatement>;
  /** What is sent instead of what was signed. */
  readonly sent?: CosignStatement;
}

/** Pushes an image with a signature. */
async function publish(
  name: string,
  { signer = 'company', signed = {}, sent }: Signing = {},
): Promise<Written> {
  const { layout, image } = makeImage();
  await upload(bench.registry, layout, image, name);
  const statement = { ...statementOn(image, name), ...signed };
  await attach(layout, await bench.cosign[signer].sign(layout, statement, sent), image, name);
  return image;
}

describe('a signature in the registry', () => {
  test('counts, and its key is named', async () => {
    await publish('team/good:1');
    const { code, stderr } = await fetchWith(keys('company'), 'team/good:1');
    expect(code).toBe(0);
    expect(stderr).toMatch(/^image: signature verified:\nimage: {3}sha256:[0-9a-f]{64}$/m);
  });

  test('counts for who asks by digest, and by any of several keys', async () => {
    const { digest } = await publish('team/digest:1');
    const config = keys('stranger', 'company');
    expect(await fetchWith(config, `team/digest@${digest}`)).toMatchObject({ code: 0 });
  });

  test.each(['index', 'manifest'] as const)(
    'of an image for several machines may be of its %s',
    async (signed) => {
      const { layout, image } = makeImage();
      const index = layout.index([image]);
      const name = `team/${signed}:1`;
      await upload(bench.registry, layout, index, name);
      const which = signed === 'index' ? index : image;
      const signature = await bench.cosign.company.sign(layout, statementOn(which, name));
      await attach(layout, signature, which, name);
      expect(await fetchWith(keys('company'), name)).toMatchObject({ code: 0 });
    },
  );

  test('counts where there is none beside the registry, and the other way round', async () => {
    const both = { ...bench.lookaside, ...keys('company') };
    await publish('team/cosign:1');
    expect(await fetchWith(both, 'team/cosign:1')).toMatchObject({ code: 0 });
    await bench.push(makeImage().from, 'team/simple:1');
    expect(await fetchWith(both, 'team/simple:1')).toMatchObject({ code: 0 });
  });
});

const ANOTHER = `sha256:${'0'.repeat(64)}`;

describe('an image is refused, and nothing of it kept, whose signature', () => {
  test('is missing', async () => {
    const { layout, image } = makeImage();
    await upload(bench.registry, layout, image, 'team/unsigned:1');
    expect(await refused(keys('company'), 'team/unsigned:1')).toMatch(/: image \S+ is not signed\n$/);
  });

  test('is by another key', async () => {
    await publish('team/stranger:1', { signer: 'stranger' });
    expect(await refused(keys('company'), 'team/stranger:1')).toMatch(
      /: cosign signature sha256:[0-9a-f]{64} is not by key \S+\n$/,
    );
  });

  test('is of another image', async () => {
    await publish('team/digests:1', { signed: { digest: ANOTHER } });
    expect(await refused(keys('company'), 'team/digests:1')).toMatch(
      new RegExp(`: signature is for the image ${ANOTHER}, not for sha256:[0-9a-f]{64}\n$`),
    );
  });

  test('is of another name', async () => {
    await publish('team/names:1', { signed: { reference: `${bench.registry.address}/team/other` } });
    expect(await refused(keys('company'), 'team/names:1')).toMatch(
      /: signature is for \S+\/team\/other, not for \S+\/team\/names:1\n$/,
    );
  });

  test('was made for another statement', async () => {
    const { layout, image } = makeImage();
    const name = 'team/payload:1';
    await upload(bench.registry, layout, image, name);
    const truth = statementOn(image, name);
    await attach(
      layout,
      await bench.cosign.company.sign(layout, { ...truth, digest: ANOTHER }, truth),
      image,
      name,
    );
    expect(await refused(keys('company'), name)).toMatch(/: cosign signature \S+ is not by key \S+\n$/);
  });

  test('is no signature but an image', async () => {
    const { layout, image } = makeImage();
    await upload(bench.registry, layout, image, 'team/image:1');
    await attach(layout, image, image, 'team/image:1');
    expect(await refused(keys('company'), 'team/image:1')).toMatch(/ is not signed\n$/);
  });

  test('is of another image, and lies where that of its index would', async () => {
    const { layout, image } = makeImage();
    const other = makeImage();
    const index = layout.index([image]);
    await upload(bench.registry, layout, index, 'team/stray:1');
    const signature = await bench.cosign.company.sign(other.layout, statementOn(other.image, 'team/stray:1'));
    await attach(other.layout, signature, index, 'team/stray:1');
    expect(await refused(keys('company'), 'team/stray:1')).toMatch(/: signature is for the image sha256:/);
  });

  test('cannot be checked, since the key is not there, or is none', async () => {
    await publish('team/keyless:1');
    const missing = { cosignKeys: [bench.rkt.path('absent.pub')] };
    expect(await refused(missing, 'team/keyless:1')).toMatch(
      /: unable to read the cosign key \S+absent\.pub/,
    );
    writeFileSync(bench.rkt.path('none.pub'), 'no key');
    expect(await refused({ cosignKeys: [bench.rkt.path('none.pub')] }, 'team/keyless:1')).toMatch(/key/);
  });
});
