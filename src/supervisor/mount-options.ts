import type { MountStep } from '../abi/mount-plan.ts';
import { utf8Encode } from '../native/engine.ts';

/** mount(2) copies one page of options, its end included. */
const OPTIONS_MAX_BYTES = 4095;

type Overlay = Extract<MountStep, { readonly kind: 'overlay' }>;

/**
 * The options of an overlay, for a caller whose current directory is `lowerBase`: so a layer costs its short name only.
 * `podDirectory` is a path to it that is short as well. Throws when they are more than the kernel takes.
 */
export function overlayOptions(overlay: Overlay, podDirectory: string): string {
  const lower = overlay.lower.map(escapeLayer).join(':');
  const upper = escapePath(`${podDirectory}/${overlay.upper}`);
  const work = escapePath(`${podDirectory}/${overlay.work}`);
  const flag = overlay.volatile === true ? ',volatile' : '';
  return fitting(overlay, `lowerdir=${lower},upperdir=${upper},workdir=${work}${flag}`);
}

/** The same to look at only: what was written to is one more layer to read from, above the others. */
export function readOnlyOptions(overlay: Overlay, podDirectory: string): string {
  const layers = [`${podDirectory}/${overlay.upper}`, ...overlay.lower];
  return fitting(overlay, `lowerdir=${layers.map(escapeLayer).join(':')}`);
}

function fitting({ target, lower }: Overlay, options: string): string {
  const length = utf8Encode(options).length;
  if (length > OPTIONS_MAX_BYTES)
    throw new RangeError(
      `${target}: ${lower.length} layers need ${length} bytes of mount options, the kernel takes ${OPTIONS_MAX_BYTES}; use --no-overlay`,
    );
  return options;
}

function escapePath(path: string): string {
  return path.replace(/[\\,]/g, '\\$&');
}

function escapeLayer(path: string): string {
  return path.replace(/[\\,:]/g, '\\$&');
}
