import { describe, expect, test } from 'vitest';
import { formatImageName, parseImageName } from '../../../src/appc/image-name.ts';

describe('image names', () => {
  test.each([
    ['example.com/app', []],
    ['example.com/app:1.0', [['version', '1.0']]],
    [
      'example.com/app:1.0,os=linux,label=v=w',
      [
        ['version', '1.0'],
        ['os', 'linux'],
        ['label', 'v=w'],
      ],
    ],
    ['app,empty=', [['empty', '']]],
  ])('%s is read, and written the same', (text, labels) => {
    const image = parseImageName(text);
    expect(image.labels.map(({ name, value }) => [name, value])).toEqual(labels);
    expect(formatImageName(image)).toBe(text);
  });

  test('the version may also be given as a label', () => {
    expect(formatImageName(parseImageName('app,os=linux,version=2'))).toBe('app:2,os=linux');
  });

  test.each([
    ['', /expected an AC identifier/],
    ['App', /expected an AC identifier/],
    ['app:1:2', /a colon may appear only once/],
    ['app,os=linux:1', /a colon may appear only right after the name/],
    ['app,os', /label "os" has no value/],
    ['app,name=x', /must not be called "name"/],
    ['app:1,version=2', /label "version" is given twice/],
    ['app,=x', /expected an AC identifier/],
  ])('%j is refused', (text, message) => {
    expect(() => parseImageName(text)).toThrow(message);
  });
});
