import { LayerWriter } from '../../../src/image/extract/index.ts';
import { ExtendedHeaders } from '../../../src/image/tar/extended-headers.ts';
import { TarReader } from '../../../src/image/tar/index.ts';

/** How far the reader of an archive came: to a header, to an entry, to one that was written. */
export const STAGES = ['nothing', 'header', 'entry', 'extraction'] as const;
export type Stage = (typeof STAGES)[number];

/** Watches the reader from outside: its classes are wrapped, for as long as this process lives. */
export class StageProbe {
  #reached = 0;

  constructor() {
    const reach = (stage: Stage) => this.#reach(stage);
    const { take } = ExtendedHeaders.prototype;
    ExtendedHeaders.prototype.take = function (header) {
      reach('header');
      return take.call(this, header);
    };
    const { entries } = TarReader.prototype;
    TarReader.prototype.entries = async function* () {
      for await (const entry of entries.call(this)) {
        reach('entry');
        yield entry;
      }
    };
    const { add } = LayerWriter.prototype;
    LayerWriter.prototype.add = async function (entry, content) {
      await add.call(this, entry, content);
      reach('extraction');
    };
  }

  /** The stage reached since this was asked for last. */
  take(): Stage {
    const stage = STAGES[this.#reached] ?? 'nothing';
    this.#reached = 0;
    return stage;
  }

  #reach(stage: Stage): void {
    this.#reached = Math.max(this.#reached, STAGES.indexOf(stage));
  }
}
