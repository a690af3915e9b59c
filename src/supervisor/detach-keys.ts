/** Looks for the keys that detach in what is typed. Pure. */
export class DetachKeys {
  readonly #keys: Uint8Array;
  #matched = 0;

  /** None: nothing detaches. */
  constructor(keys: Uint8Array) {
    this.#keys = keys;
  }

  /**
   * What of these bytes is for the app: a beginning of the sequence is held back until it is known what it is the beginning of.
   * `detached`: the sequence is complete; what follows it is nobody's.
   */
  typed(bytes: Uint8Array): { readonly forApp: Uint8Array; readonly detached: boolean } {
    const forApp: number[] = [];
    for (const byte of bytes) {
      if (!this.#continues(byte)) {
        forApp.push(...this.#keys.subarray(0, this.#matched));
        this.#matched = 0;
        if (!this.#continues(byte)) {
          forApp.push(byte);
          continue;
        }
      }
      this.#matched++;
      if (this.#matched === this.#keys.length) return { forApp: Uint8Array.from(forApp), detached: true };
    }
    return { forApp: Uint8Array.from(forApp), detached: false };
  }

  #continues(byte: number): boolean {
    return this.#keys.length > 0 && this.#keys[this.#matched] === byte;
  }
}
