import type { ImageEvent } from '../image/index.ts';

/** An extraction is shown only when there is no download left to show: it may run behind it. */
export type Phase = 'downloading' | 'downloaded' | 'extracting' | 'making disk';

/** What is known of a layer under way. Times are in milliseconds, of a clock that never goes back. */
export interface LayerProgress {
  readonly phase: Phase;
  readonly read: number;
  readonly total: number | undefined;
  readonly speed: Speed;
  readonly download: Download | undefined;
}

/** What has been downloaded so far, without what an earlier attempt had left. */
export interface Download {
  readonly bytes: number;
  readonly started: number;
  readonly latest: number;
}

/** Bytes per second, smoothed: what was read long ago counts for less and less. */
interface Speed {
  readonly perSecond: number | undefined;
  readonly sampledAt: number;
  readonly sampledRead: number;
}

/** In the order in which they began. */
export type LayersProgress = ReadonlyMap<string, LayerProgress>;

/** What is going on with an image. What comes from a file is not downloaded, though it comes by the same way. */
export interface ImageProgress {
  readonly origin: 'file' | 'network';
  readonly layers: LayersProgress;
}

export const NO_PROGRESS: ImageProgress = { origin: 'network', layers: new Map() };

/** After this time a sample has lost two thirds of its weight. */
const MEMORY = 3000;
/** Samples over less time than this say more of buffers than of the network. */
const SAMPLE = 250;

/** What is going on after an event. */
export function advance(image: ImageProgress, event: ImageEvent, now: number): ImageProgress {
  const { origin, layers } = image;
  switch (event.kind) {
    case 'image-import':
      return { origin: 'file', layers };
    case 'image-resolve':
    case 'image-fetch':
      return { origin: 'network', layers };
    case 'layer-download': {
      const progress = origin === 'file' ? extracted : downloaded;
      return {
        origin,
        layers: withLayer(layers, event.layer, progress(layers.get(event.layer), event, now)),
      };
    }
    case 'layer-progress':
      return {
        origin,
        layers: withLayer(layers, event.layer, extracted(layers.get(event.layer), event, now)),
      };
    case 'layer-done':
    case 'disk-done':
      return { origin, layers: new Map([...layers].filter(([layer]) => layer !== event.layer)) };
    case 'disk-progress': {
      const before = layers.get(event.layer);
      const phase = 'making disk';
      const count = counted(before?.phase === phase ? before : undefined, event, now);
      return { origin, layers: withLayer(layers, event.layer, { ...count, phase, download: undefined }) };
    }
    // An image that is there has no layers under way, whatever they reported last.
    case 'image-imported':
    case 'image-found':
    case 'disk-refused':
      return NO_PROGRESS;
    default:
      return image;
  }
}

function withLayer(layers: LayersProgress, layer: string, progress: LayerProgress): LayersProgress {
  return new Map(layers).set(layer, progress);
}

type Count = { readonly read: number; readonly total: number | undefined };

function downloaded(
  before: LayerProgress | undefined,
  { read, total, resumedFrom = 0 }: Count & { readonly resumedFrom?: number },
  now: number,
): LayerProgress {
  const { started } = before?.download ?? { started: now };
  const download = { bytes: read - resumedFrom, started, latest: now };
  // What an earlier attempt has left may be extracted before the first new byte comes.
  if (before?.phase === 'extracting' && read === total) return { ...before, download };
  return {
    ...counted(before?.phase === 'downloading' ? before : undefined, { read, total }, now),
    phase: read === total ? 'downloaded' : 'downloading',
    download,
  };
}

function extracted(before: LayerProgress | undefined, count: Count, now: number): LayerProgress {
  if (before?.phase === 'downloading') return before;
  return {
    ...counted(before?.phase === 'extracting' ? before : undefined, count, now),
    phase: 'extracting',
    download: before?.download,
  };
}

function counted(before: LayerProgress | undefined, { read, total }: Count, now: number) {
  const speed =
    before === undefined || read < before.read
      ? { perSecond: undefined, sampledAt: now, sampledRead: read }
      : sampled(before.speed, read, now);
  return { read, total, speed };
}

function sampled(speed: Speed, read: number, now: number): Speed {
  const elapsed = now - speed.sampledAt;
  if (elapsed < SAMPLE) return speed;
  return { perSecond: mixed(speed, read, elapsed), sampledAt: now, sampledRead: read };
}

function mixed({ perSecond, sampledRead }: Speed, read: number, elapsed: number): number {
  const latest = ((read - sampledRead) / elapsed) * 1000;
  const weight = 1 - Math.exp(-elapsed / MEMORY);
  return perSecond === undefined ? latest : perSecond + (latest - perSecond) * weight;
}

/** Bytes per second now: while nothing arrives it falls. Undefined as long as nothing can be said. */
export function speedOf({ speed, read }: LayerProgress, now: number): number | undefined {
  const elapsed = now - speed.sampledAt;
  return elapsed < SAMPLE ? speed.perSecond : mixed(speed, read, elapsed);
}
