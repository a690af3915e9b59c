export type { LayerDraft } from './draft.ts';
export { StoreError, type StoreErrorCode } from './error.ts';
export { layerName } from './layer-note.ts';
export type { Pins } from './pins.ts';
export type { Archive, ImageRecord, ImageSummary, ImportedImage, Whitelist } from './record.ts';
export type { RemoteNote } from './remotes.ts';
export { type FileIdentity, identifyFile } from './source-cache.ts';
export { openStore, Store } from './store.ts';
export { blobsOf, type Swept } from './sweep.ts';
