export type { LayerDraft } from './draft.ts';
export { StoreError, type StoreErrorCode } from './error.ts';
export type { ImageRecord, ImportedImage } from './record.ts';
export { type FileIdentity, identifyFile } from './source-cache.ts';
export { openStore, Store } from './store.ts';
