import { formatBytes } from './byte-size.ts';
import { type LayerProgress, type LayersProgress, speedOf } from './layer-progress.ts';
import { printable } from './printable.ts';

export interface WindowSize {
  readonly columns: number;
  readonly rows: number;
}

/** Twelve digits of a digest, as other tables show them. */
const NAME_WIDTH = 12;
const PHASE_WIDTH = 'downloading'.length;
const SMALLEST_BAR = 10;
const LARGEST_BAR = 40;
/** A layer and the line that counts the others. */
const FEWEST_LINES = 2;

/** A line for each layer under way, none wider than the window, all together lower than it. */
export function barLines(layers: LayersProgress, window: WindowSize, now: number): string[] {
  const line = ([layer, progress]: [string, LayerProgress]) => barLine(layer, progress, window.columns, now);
  // In the last row a line end would scroll.
  const room = Math.max(window.rows - 1, FEWEST_LINES);
  const all = [...layers];
  if (all.length <= room) return all.map(line);
  // What only waits to be extracted is left out first.
  const moving = all.filter(([, { phase }]) => phase !== 'downloaded').slice(0, room - 1);
  const rest = all.length - moving.length;
  return [...moving.map(line), cut(`and ${rest} more ${rest === 1 ? 'layer' : 'layers'}`, window.columns)];
}

function barLine(layer: string, progress: LayerProgress, columns: number, now: number): string {
  const head = `${progress.phase.padEnd(PHASE_WIDTH)} ${shortName(layer).padEnd(NAME_WIDTH)}`;
  const share = shareOf(progress);
  const facts = [...(share === undefined ? [] : [percent(share)]), ...figures(progress, now)];
  // A narrow window shows the first facts only, and the bar if there is room for it beside the first.
  for (let count = facts.length; count > 0; count--) {
    const tail = facts.slice(0, count).join(' ');
    const bar = share === undefined ? '' : barOf(share, columns - 1 - `${head}  ${tail}`.length);
    if (bar !== undefined) return cut([head, bar, tail].filter((part) => part !== '').join(' '), columns);
  }
  return cut(`${head} ${facts[0]}`, columns);
}

/** Undefined where nobody knows how much there is, and where all of it is there. */
function shareOf({ phase, read, total }: LayerProgress): number | undefined {
  if (phase === 'downloaded' || total === undefined || total === 0) return undefined;
  return Math.min(read / total, 1);
}

/** The most telling first; always as wide whatever their values, so that nothing jumps. */
function figures(progress: LayerProgress, now: number): string[] {
  const size = formatBytes(progress.total ?? progress.read).padStart(SIZE_WIDTH);
  if (progress.phase === 'downloaded') return [size];
  const speed = speedOf(progress, now);
  const rate = speed === undefined ? '' : `${formatBytes(speed)}/s`;
  const left = timeLeft(secondsLeft(progress, speed));
  return [rate.padStart(RATE_WIDTH), left.padStart(TIME_WIDTH), size];
}

const SIZE_WIDTH = '1023MiB'.length;
const RATE_WIDTH = '1023MiB/s'.length;
const TIME_WIDTH = '59m59s'.length;
const LONGEST_TIME = 100 * 3600;

function secondsLeft({ read, total }: LayerProgress, speed: number | undefined): number | undefined {
  if (total === undefined || speed === undefined || speed <= 0) return undefined;
  return Math.round(Math.max(total - read, 0) / speed);
}

/** `7s`, `2m05s`, `1h30m`; nothing where it cannot be said. */
function timeLeft(seconds: number | undefined): string {
  if (seconds === undefined || seconds >= LONGEST_TIME) return '';
  const two = (number: number) => String(number).padStart(2, '0');
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  if (hours > 0) return `${hours}h${two(minutes)}m`;
  return minutes > 0 ? `${minutes}m${two(seconds % 60)}s` : `${seconds}s`;
}

function percent(share: number): string {
  return `${Math.floor(share * 100)}%`.padStart('100%'.length);
}

/** Undefined where there is no room for one. */
function barOf(share: number, room: number): string | undefined {
  if (room < SMALLEST_BAR) return undefined;
  const inside = Math.min(room, LARGEST_BAR) - '[]'.length;
  const done = Math.floor(share * inside);
  const tip = done < inside ? '>' : '';
  return `[${'='.repeat(done)}${tip}${' '.repeat(inside - done - tip.length)}]`;
}

/** The digits of a digest, or the end of a path, which tells more than its beginning. */
function shortName(layer: string): string {
  const digits = /^[a-z0-9]+:([0-9a-f]{12})[0-9a-f]*$/.exec(layer)?.[1];
  return digits ?? printable(layer).slice(-NAME_WIDTH);
}

function cut(line: string, columns: number): string {
  return line.slice(0, Math.max(columns - 1, 0));
}
