const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'];
const STEP = 1024;

/** Bytes for people, as rkt prints them: `512B`, `1.9MiB`, `44MiB`. One decimal below ten, none above. */
export function formatBytes(bytes: number): string {
  let [amount, unit] = [Math.round(bytes), 0];
  for (; amount >= STEP && unit < UNITS.length - 1; unit++) amount /= STEP;
  const rounded = Math.round(amount * 10) / 10;
  return `${unit > 0 && rounded < 10 ? rounded.toFixed(1) : rounded.toFixed(0)}${UNITS[unit]}`;
}
