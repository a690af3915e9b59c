import type { Dns } from './result.ts';

/** resolv.conf(5): of `domain` and `search` the last counts. */
export function parseResolvConf(text: string): Dns {
  const lines = text.split('\n').map((line) => line.trim().split(/\s+/));
  const all = (key: string) => lines.filter(([word]) => word === key).map(([, ...values]) => values);
  const nameservers = all('nameserver').flatMap(([server]) => server ?? []);
  const domain = all('domain').at(-1)?.[0];
  const search = all('search').at(-1) ?? [];
  const options = all('options').flat();
  return {
    ...(nameservers.length > 0 ? { nameservers } : {}),
    ...(domain === undefined ? {} : { domain }),
    ...(search.length > 0 ? { search } : {}),
    ...(options.length > 0 ? { options } : {}),
  };
}
