/** What an import tells while it goes on, for whoever draws it. */
export type ImageEvent =
  /** Already in the store, nothing is read. */
  | { readonly kind: 'image-found'; readonly source: string; readonly id: string }
  | { readonly kind: 'image-import'; readonly source: string }
  /** Bytes read so far of a layer's compressed file, of `total` if that is known. */
  | {
      readonly kind: 'layer-progress';
      readonly layer: string;
      readonly read: number;
      readonly total: number | undefined;
    }
  | {
      readonly kind: 'image-imported';
      readonly source: string;
      readonly id: string;
      readonly milliseconds: number;
    };
