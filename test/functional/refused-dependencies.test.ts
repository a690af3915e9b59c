import { readFileSync, writeFileSync } from 'node:fs';
import { beforeEach, describe, expect, test } from 'vitest';
import { useFetchBench } from '../support/fetch-bench.ts';
import { aciOf } from '../support/image-files.ts';
import * as tar from '../support/tar-archive.ts';

// ACIs that are made of others which cannot be had, or are not the ones that were meant: nothing is kept of either.

const bench = useFetchBench(['example.com']);
const { site } = bench;
const unsigned = { insecure: 'image' };
beforeEach(() => {
  site.clear();
  bench.announce();
});

type Dependency = { readonly imageName: string } & Readonly<Record<string, unknown>>;
const on = (...names: readonly string[]) => names.map((imageName) => ({ imageName }));

describe('an image is refused that depends on one', () => {
  const lib = 'example.com/lib';
  const app = (...dependencies: readonly Dependency[]) => aciOf({ dependencies });
  type Refused = readonly [what: string, message: RegExp, args: () => readonly string[]];
  const REFUSED: readonly Refused[] = [
    [
      'that nobody has',
      /^fetch: image \S+\.aci: dependency example\.com\/lib: https:\/\/example\.com\/images\/example\.com\/lib-latest\.aci: bad HTTP status code: 404$/m,
      () => [bench.local(app(...on(lib)))],
    ],
    [
      'which depends on one that nobody has',
      /: dependency example\.com\/between: dependency example\.com\/lib,arch=amd64: .*404$/m,
      () => {
        const dependencies = [{ imageName: lib, labels: [{ name: 'arch', value: 'amd64' }] }];
        bench.publish('example.com/between', aciOf({ name: 'example.com/between', dependencies }));
        return [bench.local(app(...on('example.com/between')))];
      },
    ],
    [
      'that is not in the store, where nobody may be asked',
      /: dependency example\.com\/lib: no image of example\.com\/lib in the store, and the pull policy is never$/m,
      () => {
        bench.publish(lib, aciOf({ name: lib }));
        return ['--pull-policy=never', bench.local(app(...on(lib)))];
      },
    ],
    [
      'with another id',
      /: dependency example\.com\/lib: it has the image id sha512-[0-9a-f]{64}, not sha512-0{128}$/m,
      () => {
        bench.publish(lib, aciOf({ name: lib }));
        return [bench.local(app({ imageName: lib, imageID: `sha512-${'0'.repeat(128)}` }))];
      },
    ],
    [
      'with another name',
      /: dependency example\.com\/lib: .*"example\.com\/lib" expected but "example\.com\/test" found$/m,
      () => {
        bench.publish(lib, aciOf({}));
        return [bench.local(app(...on(lib)))];
      },
    ],
    [
      'that is larger than it says',
      /: dependency example\.com\/lib: .*: \d+ bytes or more, at most \d+ are expected$/m,
      () => {
        bench.publish(lib, aciOf({ name: lib }, tar.file('rootfs/large', Buffer.alloc(200_000))));
        return [bench.local(app({ imageName: lib, size: 2048 }))];
      },
    ],
    [
      'which depends on it',
      /: image example\.com\/test depends on itself: example\.com\/test -> example\.com\/lib -> example\.com\/test$/m,
      () => {
        bench.publish(lib, aciOf({ name: lib, dependencies: on('example.com/test') }));
        bench.publish('example.com/test', app(...on(lib)));
        return ['example.com/test'];
      },
    ],
    [
      'which is itself',
      /: image example\.com\/test depends on itself: example\.com\/test -> example\.com\/test$/m,
      () => {
        bench.publish('example.com/test', app(...on('example.com/test')));
        return ['example.com/test'];
      },
    ],
    [
      'and that on another, without end',
      /: more than 32 images depend on one another: /m,
      () => {
        for (let n = 1; n <= 32; n++)
          bench.publish(`${lib}-${n}`, aciOf({ name: `${lib}-${n}`, dependencies: on(`${lib}-${n + 1}`) }));
        return [bench.local(app(...on(`${lib}-1`)))];
      },
    ],
  ];

  test.each(REFUSED)('%s', async (what, message, args) => {
    const options = { store: what.replaceAll(/[^a-z]+/g, '-'), timeoutSeconds: 60, ...unsigned };
    expect(await bench.refusal(args(), options)).toMatch(message);
  });

  test('that is not signed', async () => {
    const key = await bench.gpg.makeKey('Release', 'ed25519');
    await bench.trust(key, '--prefix=example.com/test');
    const path = bench.local(app(...on(lib)));
    writeFileSync(`${path}.asc`, await bench.gpg.signDetached(readFileSync(path), { by: [key] }));
    bench.publish(lib, aciOf({ name: lib }));
    expect(await bench.refusal([path], { store: 'unsigned' })).toMatch(
      /: dependency example\.com\/lib: error downloading the signature file: .*lib-latest\.aci\.asc: bad HTTP status code: 404$/m,
    );
  });
});
