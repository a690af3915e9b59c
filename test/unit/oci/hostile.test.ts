import { expect, test } from 'vitest';
import { formatImageManifest, parseImageManifest } from '../../../src/appc/image-manifest.ts';
import { parseImageConfig } from '../../../src/oci/config.ts';
import { parseDigest } from '../../../src/oci/digest.ts';
import { parseDocument } from '../../../src/oci/document.ts';
import { OciError } from '../../../src/oci/errors.ts';
import { entriesTagged } from '../../../src/oci/layout.ts';
import { choosePlatform } from '../../../src/oci/platform-choice.ts';
import { toImageManifest } from '../../../src/oci/to-appc.ts';
import { mutate, seededRandom } from '../appc/mutation.ts';
import { config, dockerTypes, indexOf, manifestOf, ociTypes, sha } from './document-examples.ts';

const rounds = 1000;
const source = {
  name: 'a',
  originalName: 'a',
  configDigest: parseDigest(sha('c')),
  manifestDigest: parseDigest(sha('d')),
};

test.each([
  ['manifest', manifestOf(ociTypes), parseDocument],
  ['index', indexOf(dockerTypes), readIndex],
  ['configuration', config, readConfig],
])('a damaged %s is read, or refused as an OciError', (_, document, read) => {
  const seed = Date.now() >>> 0;
  const random = seededRandom(seed);
  for (let round = 0; round < rounds; round++) {
    let damaged: unknown = document;
    for (let times = 0; times <= round % 4; times++) damaged = mutate(damaged, random);
    const error = errorOf(() => read(damaged));
    if (error === undefined || error instanceof OciError) continue;
    expect.fail(`seed ${seed}, round ${round}: ${error}`);
  }
  expect(Reflect.get({}, 'polluted')).toBeUndefined();
});

function readIndex(json: unknown): void {
  const document = parseDocument(json);
  if (document.kind === 'manifest') return;
  choosePlatform(entriesTagged(document, undefined), { os: 'linux', architecture: 'amd64' });
}

// What is converted must be valid in appc, however strange the configuration was.
function readConfig(json: unknown): void {
  const manifest = toImageManifest(parseImageConfig(json), source);
  const text = formatImageManifest(manifest);
  expect(formatImageManifest(parseImageManifest(JSON.parse(text)))).toBe(text);
}

function errorOf(action: () => void): unknown {
  try {
    action();
    return undefined;
  } catch (error) {
    return error;
  }
}
