/** What interfaces have that are made by software, each kind its own: IFLA_INFO_DATA. */
import { type Attributes, parseAttributes, u16Attribute, u16Of, u32Attribute, u32Of } from './attributes.ts';

const IFLA_BR_VLAN_FILTERING = 7;
const IFLA_VLAN_ID = 1;
const IFLA_IPVLAN_MODE = 1;
const IFLA_MACVLAN_MODE = 1;
const IFLA_MACVLAN_BC_QUEUE_LEN = 7;

export const macvlanModes = { private: 1, vepa: 2, bridge: 4, passthru: 8 } as const;
export const ipvlanModes = { l2: 0, l3: 1, l3s: 2 } as const;

export type MacvlanMode = keyof typeof macvlanModes;
export type IpvlanMode = keyof typeof ipvlanModes;

/** `parent`: by index; in the namespace of the socket, wherever the new one goes. */
export type NewKind =
  | { readonly kind: 'dummy' | 'bridge' | 'ifb' }
  | {
      /** A macvtap has a file in /dev in the place of a network stack. */
      readonly kind: 'macvlan' | 'macvtap';
      readonly parent: number;
      readonly mode: MacvlanMode;
      readonly broadcastQueue?: number;
    }
  | { readonly kind: 'ipvlan'; readonly parent: number; readonly mode: IpvlanMode }
  | { readonly kind: 'vlan'; readonly parent: number; readonly id: number };

/** Each of its kind, and undefined for all others. */
export interface KindDetails {
  readonly vlanFiltering?: boolean;
  readonly vlanId?: number;
  readonly macvlanMode?: string;
  readonly ipvlanMode?: string;
}

export function packKind(link: NewKind): Uint8Array[] {
  switch (link.kind) {
    case 'dummy':
    case 'bridge':
    case 'ifb':
      return [];
    case 'macvlan':
    case 'macvtap':
      return [
        u32Attribute(IFLA_MACVLAN_MODE, macvlanModes[link.mode]),
        ...(link.broadcastQueue === undefined
          ? []
          : [u32Attribute(IFLA_MACVLAN_BC_QUEUE_LEN, link.broadcastQueue)]),
      ];
    case 'ipvlan':
      return [u16Attribute(IFLA_IPVLAN_MODE, ipvlanModes[link.mode])];
    case 'vlan':
      return [u16Attribute(IFLA_VLAN_ID, link.id)];
    default:
      return link satisfies never;
  }
}

export function parseKind(kind: string | undefined, data: Uint8Array | undefined): KindDetails {
  const read = kind === undefined ? undefined : readers.get(kind);
  return read === undefined || data === undefined ? {} : read(parseAttributes(data));
}

const readers = new Map<string, (data: Attributes) => KindDetails>([
  ['bridge', (data) => ({ vlanFiltering: data.get(IFLA_BR_VLAN_FILTERING)?.[0] === 1 })],
  ['macvlan', (data) => ({ macvlanMode: wordOf(macvlanModes, u32Of(data, IFLA_MACVLAN_MODE)) })],
  ['ipvlan', (data) => ({ ipvlanMode: wordOf(ipvlanModes, u16Of(data, IFLA_IPVLAN_MODE)) })],
  ['vlan', (data) => ({ vlanId: u16Of(data, IFLA_VLAN_ID) ?? 0 })],
]);

function wordOf(words: Readonly<Record<string, number>>, number: number | undefined): string {
  return Object.keys(words).find((word) => words[word] === number) ?? `${number}`;
}
