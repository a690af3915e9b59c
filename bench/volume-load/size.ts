/** How much `load.ts` does. */
export const SEQUENTIAL_BYTES = 128 * 1024 * 1024;
export const BLOCK_BYTES = 4096;
export const BLOCKS = 4000;
export const TREE_FILES = 1000;
export const FILE_BYTES = 6000;
