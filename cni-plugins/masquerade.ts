/** `ipMasq`: containers reach what is beyond the host under the host's own address. */
import { CNI_ERROR, CniError } from '../src/net/cni/errors.ts';
import type { CniResult } from '../src/net/cni/result.ts';
import { flag } from './options.ts';
import type { PluginRequest } from './request.ts';

/** Whether the configuration asks for it. */
export function checkMasquerade({ config }: PluginRequest): void {
  if (flag(config.fields, 'ipMasq'))
    throw new CniError(CNI_ERROR.unsupportedField, 'ipMasq is not supported');
}

/** After the addresses are known. */
export function masquerade(_request: PluginRequest, _result: CniResult): void {}

export function masqueradeNoMore(_request: PluginRequest): void {}

/** Only for the attachments that are still there. */
export function masqueradeOnly(_request: PluginRequest): void {}
