export { ImageError, type ImageErrorCode } from './error.ts';
export type { ImageEvent } from './event.ts';
export { importImage } from './import.ts';
export type { ImportOptions } from './options.ts';
export { type ImageReference, parseReference } from './reference.ts';
