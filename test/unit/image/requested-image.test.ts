import { expect, test } from 'vitest';
import { blankImageManifest, parseACIdentifier, parseImageName } from '../../../src/appc/index.ts';
import { checkImageMatches } from '../../../src/image/requested-image.ts';

const { name, labels } = parseImageName('example.com/app:1.2.0,os=linux,arch=amd64');
const manifest = { ...blankImageManifest(name), labels };

test.each(['example.com/app', 'example.com/app:1.2.0', 'example.com/app,arch=amd64,os=linux'])(
  'the image is what was asked for as %s',
  (text) => {
    const asked = parseImageName(text);
    expect(() => checkImageMatches(manifest, asked.name, asked.labels)).not.toThrow();
  },
);

test.each([
  [
    'example.com/app:2.0',
    'requested value for label "version": "2.0" differs from fetched aci label value: "1.2.0"',
  ],
  [
    'example.com/app:latest',
    'requested value for label "version": "latest" differs from fetched aci label value: "1.2.0"',
  ],
  [
    'example.com/app,arch=armv7b',
    'requested value for label "arch": "armv7b" differs from fetched aci label value: "amd64"',
  ],
  ['example.com/app,x=bla', 'requested label "x" not provided by the image manifest'],
  [
    'example.com/other',
    'error when reading the app name: "example.com/other" expected but "example.com/app" found',
  ],
])('it is not what was asked for as %s', (text, message) => {
  const asked = parseImageName(text);
  const error = expect.objectContaining({ code: 'wrong-image', message });
  expect(() => checkImageMatches(manifest, asked.name, asked.labels)).toThrow(error);
});

test('a name is compared whole', () => {
  expect(() => checkImageMatches(manifest, parseACIdentifier('example.com'), [])).toThrow('expected but');
});
