/** Counts what is under way, and tells whoever waits when all of it is done. */
export class Completion {
  #underWay = 0;
  #waiting: (() => void)[] = [];

  /** Begins one thing more; the function is to be called once, at its end. */
  begin(): () => void {
    this.#underWay++;
    return () => {
      if (--this.#underWay > 0) return;
      for (const callback of this.#waiting.splice(0)) callback();
    };
  }

  /** At once if nothing is under way. */
  whenDone(callback: () => void): void {
    if (this.#underWay === 0) callback();
    else this.#waiting.push(callback);
  }
}
