export type { Owner } from './implied-directories.ts';
export { type LayerRules, LayerWriter } from './layer-writer.ts';
export { LowerLayers } from './lower-layers.ts';
export { parsePath, type Segments } from './path.ts';
export { isOpaque } from './whiteout.ts';
