import type { JsonLimits } from '../appc/json-document.ts';

/** In bytes. Registries refuse larger manifests (distribution-spec 1.1, "Pushing Manifests"). */
export const largestManifest = 4 * 1024 * 1024;

/** In bytes. A configuration carries the history of its image, which can be long. */
export const largestConfig = 8 * 1024 * 1024;

/** What the kernel's overlay file system stacks. */
export const mostLayers = 500;

/** How many indexes may stand between a name and its manifest. */
export const deepestIndex = 4;

export const manifestLimits: JsonLimits = { characters: largestManifest, depth: 16, values: 200_000 };

export const configLimits: JsonLimits = { characters: largestConfig, depth: 16, values: 400_000 };
