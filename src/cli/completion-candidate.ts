/** A word that may stand where the cursor is, and what it is. One that ends in `=` or `:` is gone on with. */
export interface Candidate {
  readonly word: string;
  readonly about: string;
}
