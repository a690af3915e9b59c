import { BlockList, isIP } from 'node:net';
import { ImageError } from '../error.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The proxy through which a URL is reached, undefined for none. `http_proxy`, `https_proxy` and `no_proxy` are read as Go
 * reads them for rkt: there is no proxy to this machine itself, none for https because there is one for http, and no_proxy
 * may name hosts, domains, addresses and networks. Of a variable's two spellings the lower one is taken first, as curl does.
 * @throws ImageError unsupported
 */
export function proxyFor(url: URL, environment: Environment): URL | undefined {
  const name = url.protocol === 'https:' ? 'https_proxy' : 'http_proxy';
  const proxy = variable(environment, name);
  if (proxy === undefined || isLoopback(hostOf(url))) return undefined;
  const exempt = (variable(environment, 'no_proxy') ?? '').split(/[\s,]+/).filter((rule) => rule !== '');
  return exempt.some((rule) => matches(rule, url)) ? undefined : proxyURL(proxy, name);
}

function variable(environment: Environment, name: string): string | undefined {
  return environment[name] || environment[name.toUpperCase()] || undefined;
}

// The value may hold a password: messages name the variable alone.
function proxyURL(text: string, name: string): URL {
  const spelled = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  if (!URL.canParse(spelled)) throw new ImageError('unsupported', `${name} is not a URL`);
  const url = new URL(spelled);
  if (url.protocol === 'http:' || url.protocol === 'https:') return url;
  throw new ImageError(
    'unsupported',
    `${name} is a proxy of ${url.protocol}, only http: and https: are known`,
  );
}

/** Without the brackets of an IPv6 address. */
function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, '');
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

function isLoopback(host: string): boolean {
  const family = isIP(host);
  return host === 'localhost' || (family !== 0 && loopback.check(host, family === 6 ? 'ipv6' : 'ipv4'));
}

function matches(rule: string, url: URL): boolean {
  if (rule === '*') return true;
  const host = hostOf(url);
  const network = /^(.+)\/(\d{1,3})$/.exec(rule);
  if (network?.[1] !== undefined) return isIn(host, network[1], Number(network[2]));
  const { name, port } = splitPort(rule.toLowerCase());
  if (port !== undefined && port !== (url.port || (url.protocol === 'https:' ? '443' : '80'))) return false;
  if (isIP(name) !== 0) return isIP(host) !== 0 && isIn(host, name, isIP(name) === 6 ? 128 : 32);
  const domain = name.replace(/^\*(?=\.)/, '');
  return domain.startsWith('.') ? host.endsWith(domain) : host === domain || host.endsWith(`.${domain}`);
}

function splitPort(rule: string): { readonly name: string; readonly port: string | undefined } {
  const [, bracketed, plain, port] = /^(?:\[(.+)\]|([^:]*))(?::(\d+))?$/.exec(rule) ?? [];
  return { name: bracketed ?? plain ?? rule, port };
}

function isIn(host: string, address: string, prefix: number): boolean {
  const [family, wanted] = [isIP(host), isIP(address)];
  if (family === 0 || family !== wanted || prefix > (wanted === 6 ? 128 : 32)) return false;
  const kind = wanted === 6 ? 'ipv6' : 'ipv4';
  const list = new BlockList();
  list.addSubnet(address, prefix, kind);
  return list.check(host, kind);
}
