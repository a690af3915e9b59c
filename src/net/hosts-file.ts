/** hosts(5) for an app whose image has none, or that is to have another. */
export interface HostsEntry {
  readonly address: string;
  readonly names: readonly string[];
}

const LOCALHOST = `127.0.0.1\tlocalhost localhost.localdomain
::1\tlocalhost localhost.localdomain localhost6 ip6-localhost ip6-loopback
`;

/** Who gives the pod's own host name an address means it: the pod's line is the last. */
export function hostsFile(hostname: string, entries: readonly HostsEntry[] = []): string {
  const lines = entries.map(({ address, names }) => `${address}\t${names.join(' ')}\n`);
  const added = lines.length === 0 ? [] : ['\n# Added by rkt run --hosts-entry\n', ...lines, '\n'];
  return [LOCALHOST, ...added, `127.0.0.1\t${hostname}\n`].join('');
}
