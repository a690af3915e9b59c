/** `ipMasq`: containers reach what is beyond the host under the host's own address. */
import type { CniResult } from '../src/net/cni/result.ts';
import { attachmentOf } from './attachment.ts';
import { badConfiguration } from './failure.ts';
import { keepMasquerade, setUpMasquerade, tearDownMasquerade } from './nat.ts';
import { flag, text } from './options.ts';
import type { Backend } from './packet-rules.ts';
import type { PluginRequest } from './request.ts';

const backends = ['nftables', 'iptables'] as const satisfies readonly Backend[];

function wantsMasquerade({ config }: PluginRequest): boolean {
  return flag(config.fields, 'ipMasq');
}

/** Undefined for the one that the host has. */
function backendOption({ config }: PluginRequest): Backend | undefined {
  const wanted = text(config.fields, 'ipMasqBackend');
  const found = backends.find((backend) => backend === wanted);
  if (wanted !== undefined && found === undefined)
    throw badConfiguration(`config.ipMasqBackend is '${wanted}', not one of ${backends.join(', ')}`);
  return found;
}

/** Before anything is made. */
export function checkMasquerade(request: PluginRequest): void {
  wantsMasquerade(request);
  backendOption(request);
}

/** After the addresses are known. */
export function masquerade(request: PluginRequest, { ips }: CniResult): void {
  if (!wantsMasquerade(request) || ips.length === 0) return;
  const addresses = ips.map(({ address }) => address);
  setUpMasquerade({ ...attachmentOf(request), addresses, backend: backendOption(request) });
}

export function masqueradeNoMore(request: PluginRequest): void {
  if (wantsMasquerade(request)) tearDownMasquerade(attachmentOf(request));
}

/** Only for the attachments that are still there, where the runtime says which. */
export function masqueradeOnly(request: PluginRequest): void {
  const { validAttachments, name } = request.config;
  if (validAttachments !== undefined && wantsMasquerade(request)) keepMasquerade(name, validAttachments);
}
