import type { ImageEvent } from '../image/index.ts';
import { formatBytes } from './byte-size.ts';
import { formatDuration } from './duration.ts';
import type { Download, ImageProgress } from './layer-progress.ts';
import { trustLines } from './trust-lines.ts';

/** What is said of an event in words, rkt's where it had any; most of it with `--debug` only. */
export function remarksOn(event: ImageEvent, debug: boolean): readonly string[] {
  switch (event.kind) {
    case 'signature-verified':
      return ['signature verified:', ...signers(event).map((signer) => `  ${signer}`)];
    case 'trust':
      return trustLines(event.event);
    case 'wait':
      return [`waiting for another process: ${event.what}`];
    case 'retry':
      return [
        `${event.what}: ${event.reason}, trying again in ${formatDuration(Math.round(event.milliseconds))}`,
      ];
    case 'passed-over':
      return [`${event.what}: ${event.reason}, trying the next`];
    default:
      return debug ? detailsOf(event) : [];
  }
}

type Detail = Exclude<
  ImageEvent,
  { kind: 'signature-verified' | 'trust' | 'wait' | 'retry' | 'passed-over' }
>;

function detailsOf(event: Detail): readonly string[] {
  switch (event.kind) {
    case 'image-found':
      return isImageId(event.source)
        ? [`using image from the store with hash ${event.id}`]
        : [`using image from local store for image name ${event.source}`];
    case 'image-import':
      return [`using image from file ${event.source}`];
    case 'image-resolve':
      return [`searching for image ${event.source}`];
    case 'discovery-miss':
      return [event.reason];
    case 'image-fetch':
      return [`remote fetching from URL "${event.url}"`, `fetching image from ${event.url}`];
    case 'image-fresh':
      return [`image for ${event.url} isn't expired, not fetching.`];
    case 'image-imported':
      return [`have ${event.source} as ${event.id} after ${Math.round(event.milliseconds)} ms`];
    case 'signature-deferred':
      return ['server requested deferring the signature download'];
    case 'disk-done':
      return [`made a disk of layer ${event.layer}`];
    case 'disk-refused':
      return [`no disks for machines: ${event.reason}`];
    case 'layer-download':
    case 'layer-progress':
    case 'layer-done':
    case 'disk-progress':
      return [];
    default:
      return event satisfies never;
  }
}

/** Where no bar can be drawn: a line when the download of a layer begins, a line when it has ended. */
export function downloadLines(
  event: ImageEvent,
  { before, after }: { readonly before: ImageProgress; readonly after: ImageProgress },
): readonly string[] {
  if (event.kind !== 'layer-download' && event.kind !== 'layer-done') return [];
  const [was, is] = [before.layers.get(event.layer), after.layers.get(event.layer)];
  const begins = event.kind === 'layer-download' && was?.download === undefined && is?.download !== undefined;
  // A download of unknown length is known to have ended when all of it has been used.
  const wasComplete = was?.download !== undefined && was.phase !== 'downloading';
  const isComplete = event.kind === 'layer-done' || is?.phase !== 'downloading';
  const download = is?.download ?? was?.download;
  return [
    ...(begins ? [beginning(event)] : []),
    ...(download !== undefined && isComplete && !wasComplete ? [ending(event.layer, download)] : []),
  ];
}

function beginning({ layer, total, resumedFrom = 0 }: ImageEvent & { kind: 'layer-download' }): string {
  const size = total === undefined ? '' : `, ${formatBytes(total)}`;
  return `downloading ${layer}${size}${resumedFrom > 0 ? `, from ${formatBytes(resumedFrom)} on` : ''}`;
}

function ending(layer: string, { bytes, started, latest }: Download): string {
  const rate = formatBytes((bytes / Math.max(latest - started, 1)) * 1000);
  return `downloaded ${layer}, ${formatBytes(bytes)}, ${rate}/s`;
}

/** A key without identities is named by its fingerprint. */
function signers({ identities, fingerprint }: ImageEvent & { kind: 'signature-verified' }) {
  return identities.length > 0 ? identities : [fingerprint];
}

function isImageId(source: string): boolean {
  return /^sha(?:256|512)-/.test(source);
}
