import { describe, expect, it } from 'vitest';
import { parsePodArguments } from '../../../src/cli/app-arguments.ts';
import { FETCH_FLAGS, FETCHED_IMAGE_FLAGS, fetchRequests } from '../../../src/cli/fetch-request.ts';
import { GLOBAL_FLAGS } from '../../../src/cli/global-flags.ts';
import { deprecations } from '../../../src/cli/pull-flags.ts';

const parse = (...args: string[]) =>
  parsePodArguments(args, { pod: [...FETCH_FLAGS, ...GLOBAL_FLAGS], app: FETCHED_IMAGE_FLAGS });
const requests = (...args: string[]) => fetchRequests(parse(...args));

describe('a command line of fetch', () => {
  it('asks for what has changed, unless it says otherwise', () => {
    expect(requests('a')).toEqual([{ image: 'a', pullPolicy: 'update', authFiles: [] }]);
    expect(requests('--pull-policy=new', 'a')).toMatchObject([{ pullPolicy: 'new' }]);
  });

  it('has signatures behind their images, all else anywhere', () => {
    expect(requests('a', '--signature=a.asc', '--auth-file=x', 'b', '--trust-keys-from-https')).toEqual([
      { image: 'a', signature: 'a.asc', pullPolicy: 'update', authFiles: ['x'] },
      { image: 'b', pullPolicy: 'update', authFiles: ['x'] },
    ]);
  });

  it('may have the flags of old', () => {
    expect(requests('a', '--store-only')).toMatchObject([{ pullPolicy: 'never' }]);
    expect(requests('a', '--no-store')).toMatchObject([{ pullPolicy: 'update' }]);
    expect(requests('a', '--no-store=false', '--store-only')).toMatchObject([{ pullPolicy: 'never' }]);
    expect(requests('a', '--store-only', '--pull-policy=never')).toMatchObject([{ pullPolicy: 'never' }]);
    expect(deprecations(parse('a', '--no-store', '--store-only=false').flags)).toEqual([
      '--no-store is deprecated, use --pull-policy=update',
    ]);
  });

  it.each([
    [[], 'must provide at least one image'],
    [['a', '--store-only', '--no-store'], 'both --store-only and --no-store specified'],
    [['a', '--store-only', '--pull-policy=new'], '--pull-policy=new and --store-only contradict each other'],
    [['a', '--pull-policy=always'], '--pull-policy: expected never, new, update, got "always"'],
    [['--signature=x', 'a'], '--signature must follow an image'],
    [['a', '--signature=x', '--signature=y'], '--signature specified multiple times for the same image'],
    [['a', '--', 'x'], 'x: only run takes arguments of apps'],
    [['a', '--exec=/x'], 'unknown flag: --exec'],
  ])('is refused for %j', (args, message) => {
    expect(() => requests(...args)).toThrow(message);
  });
});
