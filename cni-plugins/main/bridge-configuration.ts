/** The options of `bridge`. */
import { FieldReader } from '../../src/abi/json.ts';
import { parseList } from '../../src/net/cni/result-parts.ts';
import { badConfiguration } from '../failure.ts';
import { checkMasquerade } from '../masquerade.ts';
import { flag, macOption, mtuOption, number, text } from '../options.ts';
import { checkInterfaceName, type PluginRequest } from '../request.ts';

export interface VlanRange {
  readonly first: number;
  readonly last: number;
}

export interface BridgeConfiguration {
  readonly bridge: string;
  /** Whether the bridge has the gateway's address. */
  readonly isGateway: boolean;
  /** Whether the container's default route leads there. */
  readonly isDefaultGateway: boolean;
  /** Whether another address of the bridge gives way to the gateway's. */
  readonly forceAddress: boolean;
  readonly mtu: number | undefined;
  readonly mac: string | undefined;
  readonly hairpin: boolean;
  readonly promiscuous: boolean;
  /** What the container sends without a tag is of this VLAN. */
  readonly vlan: number | undefined;
  /** VLANs that the container sends with tags of. */
  readonly trunk: readonly VlanRange[];
  readonly keepsDefaultVlan: boolean;
  readonly isolated: boolean;
  readonly detectDuplicates: boolean;
  /** Whether the container's interface stays down. */
  readonly staysDown: boolean;
}

const STANDARD_BRIDGE = 'cni0';
const LAST_VLAN = 4094;

export function parseBridge(request: PluginRequest): BridgeConfiguration {
  const { fields } = request.config;
  const bridge = text(fields, 'bridge') ?? STANDARD_BRIDGE;
  checkInterfaceName(bridge);
  const isDefaultGateway = flag(fields, 'isDefaultGateway');
  const configuration: BridgeConfiguration = {
    bridge,
    isDefaultGateway,
    isGateway: isDefaultGateway || flag(fields, 'isGateway'),
    forceAddress: flag(fields, 'forceAddress'),
    mtu: mtuOption(request),
    mac: macOption(request),
    hairpin: flag(fields, 'hairpinMode'),
    promiscuous: flag(fields, 'promiscMode'),
    vlan: number(fields, 'vlan', 0, LAST_VLAN) || undefined,
    trunk: parseList(fields, 'vlanTrunk', parseTrunk),
    keepsDefaultVlan: flag(fields, 'preserveDefaultVlan', true),
    isolated: flag(fields, 'portIsolation'),
    detectDuplicates: flag(fields, 'enabledad'),
    staysDown: flag(fields, 'disableContainerInterface'),
  };
  checkTogether(configuration, request);
  return configuration;
}

function checkTogether(configuration: BridgeConfiguration, request: PluginRequest): void {
  const { config } = request;
  checkMasquerade(request);
  if (configuration.hairpin && configuration.promiscuous)
    throw badConfiguration('hairpinMode and promiscMode exclude each other');
  if (configuration.staysDown && config.ipam !== undefined)
    throw badConfiguration(
      'disableContainerInterface excludes ipam: an interface that is down has no addresses',
    );
}

/** `{"id": 5}`, or `{"minID": 5, "maxID": 10}`. */
function parseTrunk(value: unknown, where: string): VlanRange {
  const fields = new FieldReader(value, where);
  const id = number(fields, 'id', 1, LAST_VLAN);
  if (id !== undefined) return { first: id, last: id };
  const range = { first: fields.integer('minID', 1, LAST_VLAN), last: fields.integer('maxID', 1, LAST_VLAN) };
  if (range.first > range.last) throw badConfiguration(`${where} ends before it begins`);
  return range;
}
