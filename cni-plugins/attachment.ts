/** What rules are made for: a container's interface in a network. */
import type { Attachment } from '../src/net/cni/configuration.ts';
import type { PluginRequest } from './request.ts';

export interface NetworkAttachment extends Attachment {
  readonly network: string;
}

export function attachmentOf({ config, containerId, ifName }: PluginRequest): NetworkAttachment {
  return { network: config.name, containerId, ifName };
}

export function isSameAs(one: NetworkAttachment): (other: NetworkAttachment) => boolean {
  return ({ network, containerId, ifName }) =>
    network === one.network && containerId === one.containerId && ifName === one.ifName;
}

/** Of a network's attachments, those that the runtime knows no more. */
export function isGone(
  { network, containerId, ifName }: NetworkAttachment,
  ofNetwork: string,
  valid: readonly Attachment[],
): boolean {
  const isKnown = valid.some((known) => known.containerId === containerId && known.ifName === ifName);
  return network === ofNetwork && !isKnown;
}

/**
 * `KIND/NETWORK/CONTAINER/INTERFACE`, which names what belongs to an attachment in the kernel: whoever knows the container finds it.
 * What a name there may not have is written as its code.
 */
export function formatOwner(kind: string, { network, containerId, ifName }: NetworkAttachment): string {
  return [kind, network, containerId, ifName].map(escaped).join('/');
}

/** Undefined for what is of another kind, or somebody else's. */
export function parseOwner(kind: string, text: string): NetworkAttachment | undefined {
  const [found, network, containerId, ifName, ...rest] = text.split('/').map(unescaped);
  const isWhole = network !== undefined && containerId !== undefined && ifName !== undefined;
  return found === kind && isWhole && rest.length === 0 ? { network, containerId, ifName } : undefined;
}

function escaped(text: string): string {
  return text.replace(/[^A-Za-z0-9.-]/g, (char) => `_${char.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

function unescaped(text: string): string {
  return text.replace(/_([0-9a-f]{2})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
}
