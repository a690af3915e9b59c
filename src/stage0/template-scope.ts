import { join } from 'node:path';
import { formatSpares, SPARE_SECONDS } from '../abi/spares.ts';
import { TEMPLATES } from '../abi/templates.ts';
import type { Host } from './host.ts';

/**
 * The directory of the saved machines that the caller's pods start from; undefined: of none. The configuration's word alone: a caller could
 * name another tenant's, whose machines have their secrets in common with his then.
 */
export function templateDirectory({ configuration, dataDirectory }: Host): string | undefined {
  const scope = scopeName(configuration.templates);
  return scope === undefined ? undefined : join(dataDirectory, TEMPLATES, scope);
}

/** How many spares of their templates the caller's pods leave, as a stage1 is told; undefined: none. */
export function sparesKept(host: Host): string | undefined {
  const { spares = 0, spareSeconds = SPARE_SECONDS } = host.configuration.templates ?? {};
  if (spares === 0 || templateDirectory(host) === undefined) return undefined;
  return formatSpares({ count: spares, seconds: spareSeconds });
}

function scopeName(settings: Host['configuration']['templates']): string | undefined {
  if (settings === undefined) return undefined;
  switch (settings.scope) {
    case 'host':
      return 'host';
    case 'tenant':
      return `tenant-${settings.tenant ?? process.getuid?.() ?? 0}`;
    case 'off':
      return undefined;
    default:
      return settings.scope satisfies never;
  }
}
