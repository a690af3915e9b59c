import { describe, expect, test } from 'vitest';
import { AppcError } from '../../../src/appc/errors.ts';
import { formatImageManifest, parseImageManifest } from '../../../src/appc/image-manifest.ts';
import { formatPodManifest, parsePodManifest } from '../../../src/appc/pod-manifest.ts';
import { fullImage, fullPod } from './manifest-examples.ts';
import { mutate, seededRandom } from './mutation.ts';

const rounds = 1000;

describe.each([
  ['image', fullImage, (json: unknown) => formatImageManifest(parseImageManifest(json))],
  ['pod', fullPod, (json: unknown) => formatPodManifest(parsePodManifest(json))],
])('a damaged %s manifest', (_, document, canonical) => {
  test('is refused as an AppcError, or is read to something that stays the same', () => {
    const seed = Date.now() >>> 0;
    const random = seededRandom(seed);
    for (let round = 0; round < rounds; round++) {
      let damaged: unknown = document;
      for (let times = 0; times <= round % 4; times++) damaged = mutate(damaged, random);
      const outcome = attempt(() => canonical(damaged));
      if (typeof outcome !== 'string') {
        expect(outcome, `seed ${seed}, round ${round}`).toBeInstanceOf(AppcError);
        expect(outcome, `seed ${seed}, round ${round}`).toHaveProperty(
          'message',
          expect.stringMatching(/^.{3,400}$/),
        );
      } else {
        expect(canonical(JSON.parse(outcome)), `seed ${seed}, round ${round}`).toBe(outcome);
      }
    }
    expect(Reflect.get({}, 'polluted')).toBeUndefined();
  });
});

function attempt(action: () => string): unknown {
  try {
    return action();
  } catch (error) {
    return error;
  }
}
