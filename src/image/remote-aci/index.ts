export type { CacheNote } from './cache-note.ts';
export { type Freshness, RemoteAci, type RemoteAciOptions } from './remote-aci.ts';
export {
  downloadDeferredSignature,
  downloadSignature,
  type SignatureAnswer,
  type SignatureOptions,
  signatureUrl,
} from './signature.ts';
