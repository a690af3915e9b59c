import { expect, test } from 'vitest';
import { proxyFor } from '../../../../src/image/http/proxy.ts';

const PROXY = 'http://proxy.example:3128';
const through = (url: string, environment: Record<string, string>) =>
  proxyFor(new URL(url), environment)?.href;

test('each scheme has its own proxy, spelled either way, with or without its own scheme', () => {
  const both = { http_proxy: 'http://plain.example', HTTPS_PROXY: 'https://secure.example:8443' };
  expect(through('http://a.example/', both)).toBe('http://plain.example/');
  expect(through('https://a.example/', both)).toBe('https://secure.example:8443/');
  expect(through('https://a.example/', { http_proxy: PROXY })).toBeUndefined();
  expect(through('https://a.example/', { https_proxy: 'proxy.example:3128' })).toBe(`${PROXY}/`);
  expect(through('https://a.example/', { https_proxy: PROXY, HTTPS_PROXY: 'http://other' })).toBe(
    `${PROXY}/`,
  );
  expect(through('https://a.example/', { https_proxy: '', HTTPS_PROXY: PROXY })).toBe(`${PROXY}/`);
  expect(through('https://a.example/', {})).toBeUndefined();
});

test.each(['localhost', '127.0.0.1', '127.8.9.1', '[::1]'])('%s is never asked through a proxy', (host) => {
  expect(through(`https://${host}:5000/`, { https_proxy: PROXY })).toBeUndefined();
});

test.each([
  ['*', 'a.example', false],
  ['a.example', 'a.example', false],
  ['A.Example', 'a.example', false],
  ['a.example', 'www.a.example', false],
  ['a.example', 'ba.example', true],
  ['.a.example', 'www.a.example', false],
  ['.a.example', 'a.example', true],
  ['*.a.example', 'www.a.example', false],
  ['b.example, a.example', 'a.example', false],
  ['b.example a.example', 'a.example', false],
  ['a.example:443', 'a.example', false],
  ['a.example:8443', 'a.example', true],
  ['a.example:8443', 'a.example:8443', false],
  ['10.0.0.1', '10.0.0.1', false],
  ['10.0.0.1', '10.0.0.2', true],
  ['10.0.0.0/8', '10.200.0.1', false],
  ['10.0.0.0/8', '11.0.0.1', true],
  ['10.0.0.0/8', 'a.example', true],
  ['10.0.0.0/99', '10.0.0.1', true],
  ['fd00::/8', '[fd12::1]', false],
  ['fd00::1', '[fd00::1]', false],
  ['[fd00::1]:8443', '[fd00::1]:8443', false],
  ['[fd00::1]:8443', '[fd00::1]', true],
  ['', 'a.example', true],
  [',', 'a.example', true],
])('no_proxy %o: %s through the proxy: %o', (rule, host, expected) => {
  const proxied = through(`https://${host}/`, { https_proxy: PROXY, no_proxy: rule }) !== undefined;
  expect(proxied).toBe(expected);
});

test('a proxy that is not understood is refused by the name of its variable, since its value may hold a password', () => {
  const refusal = (value: string) => () => through('https://a.example/', { https_proxy: value });
  expect(refusal('socks5://user:secret@proxy.example')).toThrow(
    'https_proxy is a proxy of socks5:, only http: and https: are known',
  );
  expect(refusal('http://user:secret@:99999')).toThrow(/^https_proxy is not a URL$/);
});
