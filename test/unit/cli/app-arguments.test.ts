import { describe, expect, it } from 'vitest';
import { parsePodArguments } from '../../../src/cli/app-arguments.ts';
import { APP_FLAGS, MARK_FLAGS, POD_FLAGS } from '../../../src/cli/run-flags.ts';

const parse = (...args: string[]) => {
  const { flags, images } = parsePodArguments(args, { pod: POD_FLAGS, app: APP_FLAGS, both: MARK_FLAGS });
  return {
    flags: Object.fromEntries(flags),
    images: images.map(({ image, flags: own, args: rest }) => ({
      image,
      flags: Object.fromEntries(own),
      args: rest,
    })),
  };
};

describe('the multi-image command line', () => {
  it('gives flags to the image before them, and pod flags to the pod wherever they stand', () => {
    expect(
      parse('--net=none', 'a', '--exec', '/x', '--inherit-env', 'b', '--exec=/y', '--user', '5'),
    ).toEqual({
      flags: { net: ['none'], 'inherit-env': ['true'] },
      images: [
        { image: 'a', flags: { exec: ['/x'] }, args: [] },
        { image: 'b', flags: { exec: ['/y'], user: ['5'] }, args: [] },
      ],
    });
  });

  it('takes everything between -- and --- for the app, whatever it looks like', () => {
    expect(parse('a', '--', '--exec', '--', '', 'x', '---', 'b', '--', '-c', 'echo').images).toEqual([
      { image: 'a', flags: {}, args: ['--exec', '--', '', 'x'] },
      { image: 'b', flags: {}, args: ['-c', 'echo'] },
    ]);
  });

  it('passes over a stray --- and empty arguments', () => {
    expect(parse('---', '', 'a', '---', 'b').images.map(({ image }) => image)).toEqual(['a', 'b']);
  });

  it('keeps every value of a flag, in order', () => {
    const { flags, images } = parse(
      '--set-env=A=1',
      'a',
      '--environment',
      'B=2',
      '--set-env',
      'C=3',
      '--environment=D=4=5',
    );
    expect(flags).toEqual({ 'set-env': ['A=1', 'C=3'] });
    expect(images[0]?.flags).toEqual({ environment: ['B=2', 'D=4=5'] });
  });

  it('gives labels and annotations to the pod before the first image, then to the image before them', () => {
    const { flags, images } = parse(
      ...['--user-label=a=1', '--annotation=x=y', 'img', '--user-label=b=2', '--user-annotation', 'c=3'],
    );
    expect(flags).toEqual({ 'user-label': ['a=1'], annotation: ['x=y'] });
    expect(images[0]?.flags).toEqual({ 'user-label': ['b=2'], 'user-annotation': ['c=3'] });
  });

  it('does not take the next argument for an optional value', () => {
    expect(parse('--net', 'a')).toMatchObject({ flags: { net: ['default'] }, images: [{ image: 'a' }] });
  });

  it.each([
    [['--exec=/x', 'a'], '--exec must follow an image'],
    [['--', 'x'], 'an image is required before any app arguments'],
    [['a', '--', 'x', '---', '--', 'y'], 'only one set of app arguments allowed per image'],
    [['a', '--ports=http:80'], 'unknown flag: --ports'],
    [['a', '-x'], 'unknown flag: -x'],
    [['a', '--exec'], 'flag needs an argument: --exec'],
  ])('refuses %j', (args, message) => {
    expect(() => parse(...args)).toThrow(message);
  });
});
