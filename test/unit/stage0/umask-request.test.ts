import { describe, expect, it, test } from 'vitest';
import { UMASK_ANNOTATION, umaskOf } from '../../../src/abi/umask.ts';
import {
  blankImageManifest,
  parseACIdentifier,
  parsePodManifest,
  type RuntimeApp,
} from '../../../src/appc/index.ts';
import { parseUmaskFlag, withUmask } from '../../../src/stage0/umask-request.ts';

const annotation = (value: string) => ({ name: parseACIdentifier(UMASK_ANNOTATION), value });
const image = blankImageManifest(parseACIdentifier('example.com/web'));
const careful = { ...image, annotations: [annotation('077')] };

function appWith(...annotations: readonly ReturnType<typeof annotation>[]): RuntimeApp {
  const app = { name: 'web', image: { id: `sha512-${'ab'.repeat(32)}` }, annotations };
  const [first] = parsePodManifest({ acVersion: '0.8.11', acKind: 'PodManifest', apps: [app] }).apps;
  if (first === undefined) throw new Error('no app');
  return first;
}

test.each([
  ['0', 0],
  ['27', 0o27],
  ['0777', 0o777],
])('%s is a mask', (text, mask) => expect(parseUmaskFlag(text)).toBe(mask));

test.each(['', '8', '00027', '1000', '-1', '0x1', ' 7', 'u=rwx,g=,o='])('%j is none', (text) => {
  expect(() => parseUmaskFlag(text)).toThrow(`--umask: ${JSON.stringify(text)} is no file mode mask`);
});

describe('a mask', () => {
  it('is the flag’s, the pod manifest’s or the image’s, in this order', () => {
    const given = appWith(annotation('7'));
    expect(withUmask(given, 0o27, careful).annotations).toEqual([annotation('0027')]);
    expect(umaskOf(withUmask(given, undefined, careful))).toBe(7);
    expect(umaskOf(withUmask(appWith(), undefined, careful))).toBe(0o77);
    expect(withUmask(appWith(), undefined, image)).toEqual(appWith());
  });

  it('that is none is refused, whoever wrote it', () => {
    expect(() => withUmask(appWith(annotation('9')), undefined, image)).toThrow('app web: "9" is no');
    const odd = { ...image, annotations: [annotation('9')] };
    expect(() => withUmask(appWith(), undefined, odd)).toThrow('app web: image example.com/web: "9" is no');
  });
});
