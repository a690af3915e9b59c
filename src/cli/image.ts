import type { Entry } from './command-line.ts';

/** The commands of `rkt image`, in the order of the help. */
export const IMAGE_COMMANDS: readonly Entry[] = [
  {
    name: 'cat-manifest',
    summary: 'print the manifest of an image',
    load: async () => (await import('./image-cat-manifest.ts')).imageCatManifestCommand,
  },
  {
    name: 'export',
    summary: 'write an image to a file, as an ACI or an OCI archive',
    load: async () => (await import('./image-export.ts')).imageExportCommand,
  },
  {
    name: 'extract',
    summary: 'write the files of an image to a directory, without those of its dependencies',
    load: async () => (await import('./image-extract.ts')).imageExtractCommand,
  },
  {
    name: 'fetch',
    summary: 'fetch images into the store',
    // Where it was once; scripts have it.
    hidden: true,
    load: async () => (await import('./fetch.ts')).fetchCommand,
  },
  {
    name: 'gc',
    summary: 'remove images that have not been used for a time, and layers that no image has',
    load: async () => (await import('./image-gc.ts')).imageGcCommand,
  },
  {
    name: 'import-rkt',
    summary: 'take over the images of a store of rkt 1.x',
    added: true,
    load: async () => (await import('./image-import-rkt.ts')).imageImportRktCommand,
  },
  {
    name: 'list',
    summary: 'list images in the store',
    load: async () => (await import('./image-list.ts')).imageListCommand,
  },
  {
    name: 'render',
    summary: 'write the files of an image to a directory, as an app would see them',
    load: async () => (await import('./image-extract.ts')).imageRenderCommand,
  },
  {
    name: 'rm',
    summary: 'remove images from the store',
    load: async () => (await import('./image-rm.ts')).imageRmCommand,
  },
  {
    name: 'verify',
    summary: 'read images in the store again, and repair what has changed',
    load: async () => (await import('./image-verify.ts')).imageVerifyCommand,
  },
];
