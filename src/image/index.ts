export type { FetchCheck, FetchContext } from './context.ts';
export { ImageError, type ImageErrorCode } from './error.ts';
export type { ImageEvent } from './event.ts';
export { type FetchRequest, fetchImage } from './fetch.ts';
export { copyLayers } from './layer-copy.ts';
export type { ImportOptions } from './options.ts';
export { type ImageReference, parseReference } from './reference.ts';
export { readyImage } from './store-image.ts';
