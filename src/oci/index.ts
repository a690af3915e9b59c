export * from './config.ts';
export type { Descriptor } from './descriptor.ts';
export {
  type Digest,
  type DigestAlgorithm,
  digestAlgorithm,
  digestHex,
  imageIDOfConfig,
  isDigest,
  parseDigest,
} from './digest.ts';
export * from './docker-reference.ts';
export * from './document.ts';
export { OciError, type OciErrorCode } from './errors.ts';
export * from './from-appc.ts';
export * from './layout.ts';
export { deepestIndex, largestConfig, largestManifest, mostLayers } from './limits.ts';
export * from './media-types.ts';
export { formatPlatform, type Platform, platformDistance } from './platform.ts';
export * from './platform-choice.ts';
export * from './to-appc.ts';
