import { describe, expect, test } from 'vitest';
import {
  formatImageName,
  type ImageName,
  imageNameOf,
  parseACIdentifier,
  parseImageName,
} from '../../../src/appc/index.ts';

function imageName(name: string, labels: Readonly<Record<string, string>> = {}): ImageName {
  const entries = Object.entries(labels);
  return imageNameOf(
    parseACIdentifier(name),
    entries.map(([label, value]) => ({ name: parseACIdentifier(label), value })),
  );
}

describe('an image string', () => {
  test.each<[string, ImageName]>([
    ['example.com/app', imageName('example.com/app')],
    ['app', imageName('app')],
    ['example.com/app:1.0.0', imageName('example.com/app', { version: '1.0.0' })],
    ['example.com/app,version=1.0.0', imageName('example.com/app', { version: '1.0.0' })],
    [
      'example.com/app:v1,os=linux,arch=amd64',
      imageName('example.com/app', { arch: 'amd64', os: 'linux', version: 'v1' }),
    ],
    ['example.com/app,label01=?&*/', imageName('example.com/app', { label01: '?&*/' })],
    ['app,expression=a=b', imageName('app', { expression: 'a=b' })],
    ['app,empty=', imageName('app', { empty: '' })],
    ['app:', imageName('app', { version: '' })],
    ['app,note= spaced Ünicode ', imageName('app', { note: ' spaced Ünicode ' })],
  ])('%j', (text, expected) => {
    expect(parseImageName(text)).toEqual(expected);
  });

  test.each([
    ['', 'expected an AC identifier'],
    ['Example.com/app', 'got "Example.com/app"'],
    ['app:1:2', 'more than one colon in "app:1:2"'],
    ['app,a=b:c', 'a colon stands only right after the name, not as in "app,a=b:c"'],
    ['app,a', 'label "a" has no value'],
    ['app,', 'label "" has no value'],
    ['app,A=b', 'expected an AC identifier'],
    ['app,=b', 'expected an AC identifier'],
    ['app,name=other', 'a label must not be called "name"'],
    ['app,a=1,a=2', 'label "a" is given more than once'],
    ['app:1,version=1', 'label "version" is given more than once'],
    ['app,a=\ud800', 'label "a" has a value that is not Unicode'],
  ])('%j is none', (text, problem) => {
    expect(() => parseImageName(text)).toThrow(problem);
  });
});

test('labels are in the order of their names, however they were given', () => {
  const labels = imageName('app', { version: '1', b: '2', a: '3', os: 'linux' }).labels;
  expect(labels.map(({ name }) => name)).toEqual(['a', 'b', 'os', 'version']);
});

test.each([
  ['example.com/app', {}, 'example.com/app'],
  ['app', { version: '1.0' }, 'app:1.0'],
  [
    'app',
    { a: '1', arch: 'amd64', version: '1.0', os: 'linux', z: '' },
    'app:1.0,os=linux,arch=amd64,a=1,z=',
  ],
])('people read %s %j as %s, and it reads back', (name, labels, text) => {
  const image = imageName(name, labels);
  expect(formatImageName(image)).toBe(text);
  expect(parseImageName(text)).toEqual(image);
});
