/** `net-info.json` in a pod's directory: which networks the pod is on, with rkt's fields and some more. */
import { FieldReader } from './json.ts';

export interface NetInfo {
  readonly netName: string;
  /** The file that describes the network, or `built-in`. */
  readonly netConf: string;
  /** The program that has made the interface. */
  readonly pluginPath: string;
  readonly ifName: string;
  /** The first address, of IPv4 if there is one; empty for an interface without addresses. */
  readonly ip: string;
  /** Of the request: `K=V;K=V`. */
  readonly args: string;
  /** Of `ip`, as an address; empty where that is. */
  readonly mask: string;
  /** The gateway of `ip`: with `ptp`, and with a bridge that is a gateway, the host. */
  readonly hostIP?: string;
  /** All addresses, with their prefix lengths. */
  readonly addresses: readonly string[];
  readonly mac?: string;
}

const MOST_NETWORKS = 1024;
const MOST_ADDRESSES = 4096;

export function formatNetInfo(networks: readonly NetInfo[]): string {
  return `${JSON.stringify(networks, undefined, 2)}\n`;
}

/** Inverse of `formatNetInfo`; takes rkt's own files, too. @throws AbiError `bad-message`, SyntaxError */
export function parseNetInfo(text: string): readonly NetInfo[] {
  const file = new FieldReader({ networks: JSON.parse(text) ?? [] }, 'net-info');
  return file.list('networks', MOST_NETWORKS, (value, where) => {
    const fields = new FieldReader(value, where);
    return {
      netName: fields.text('netName'),
      netConf: textOr(fields, 'netConf'),
      pluginPath: textOr(fields, 'pluginPath'),
      ifName: textOr(fields, 'ifName'),
      ip: textOr(fields, 'ip'),
      args: textOr(fields, 'args'),
      mask: textOr(fields, 'mask'),
      ...(fields.has('hostIP') ? { hostIP: fields.text('hostIP') } : {}),
      addresses: fields.has('addresses') ? fields.texts('addresses', MOST_ADDRESSES) : [],
      ...(fields.has('mac') ? { mac: fields.text('mac') } : {}),
    };
  });
}

/** The text, or none where the field is missing. */
function textOr(fields: FieldReader, key: string): string {
  return fields.has(key) ? fields.text(key) : '';
}
