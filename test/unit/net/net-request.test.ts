import { describe, expect, it } from 'vitest';
import { cniArgs, formatNetRequest, parseNetRequest } from '../../../src/net/net-request.ts';

const listed = (...networks: [string, string][]) => ({
  kind: 'listed',
  networks: networks.map(([name, args]) => ({ name, args })),
});

describe('--net', () => {
  it.each([
    ['none', { kind: 'none' }],
    ['host', { kind: 'host' }],
    ['all', { kind: 'all' }],
    ['', listed(['default', ''])],
    ['default', listed(['default', ''])],
    ['default-restricted', listed(['default-restricted', ''])],
    ['b,a', listed(['b', ''], ['a', ''])],
    ['a:', listed(['a', ''])],
    ['a:IP=10.1.2.3;MAC=02:00:00:00:00:01,b', listed(['a', 'IP=10.1.2.3;MAC=02:00:00:00:00:01'], ['b', ''])],
    ['a:IP=fd00::5', listed(['a', 'IP=fd00::5'])],
    ['a:K=', listed(['a', 'K='])],
    ['a:K=b=c', listed(['a', 'K=b=c'])],
  ])('%j', (text, request) => {
    expect(parseNetRequest(text)).toEqual(request);
    expect(parseNetRequest(formatNetRequest(parseNetRequest(text)))).toEqual(request);
  });

  it.each([
    ['none,a', '--net=none,a: none stands alone'],
    ['a,all', 'all stands alone'],
    ['host:IP=10.0.0.1', '--net=host:IP=10.0.0.1: host takes no arguments'],
    ['all:K=V', 'all takes no arguments'],
    ['a,b,a:IP=10.0.0.1', '--net=a,b,a:IP=10.0.0.1: network "a" is given twice'],
    ['a,', '"" is no name of a network'],
    [':IP=10.0.0.1', '"" is no name of a network'],
    ['../a', '"../a" is no name of a network'],
    ['a b', '"a b" is no name of a network'],
    ['a:IP', '"IP" is no argument such as IP=10.1.2.3'],
    ['a:IP=1.2.3.4;', '"" is no argument'],
    ['a:=V', '"=V" is no argument'],
    ['a:K=x\ny', 'is no argument'],
  ])('%j is refused', (text, message) => {
    expect(() => parseNetRequest(text)).toThrow(
      expect.objectContaining({
        name: 'NetError',
        code: 'bad-request',
        message: expect.stringContaining(message),
      }),
    );
  });
});

it('lets each plugin of a chain ignore arguments that another is meant to read', () => {
  expect(cniArgs('')).toBe('');
  expect(cniArgs('IP=10.1.2.3;K=V')).toBe('IgnoreUnknown=1;IP=10.1.2.3;K=V');
  expect(cniArgs('IP=10.1.2.3;IgnoreUnknown=0')).toBe('IP=10.1.2.3;IgnoreUnknown=0');
});
