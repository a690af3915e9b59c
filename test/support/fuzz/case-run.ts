import { mkdirSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { AppcError } from '../../../src/appc/index.ts';
import { ImageError } from '../../../src/image/index.ts';
import { OciError } from '../../../src/oci/index.ts';
import { openDirectory } from '../../../src/os/descriptor.ts';
import { removeTree } from '../../../src/os/tree.ts';
import { openStore, StoreError } from '../../../src/store/index.ts';
import { fetchLocal } from '../fetch.ts';
import { Canary } from './canary.ts';
import { Dice } from './dice.ts';
import { imageInput, type Surface } from './image-input.ts';
import { peakMemory, resetPeakMemory } from './memory.ts';
import { type Stage, StageProbe } from './stage-probe.ts';

export interface CaseResult {
  readonly index: number;
  readonly surface: Surface;
  readonly stage: Stage;
  /** What was said of the image; undefined where it was taken. */
  readonly refusal: string | undefined;
  /** What must not be, if anything. */
  readonly problem: string | undefined;
  readonly peakMegabytes: number;
  readonly milliseconds: number;
}

const OURS = [ImageError, AppcError, OciError, StoreError];
const LONGEST_MESSAGE = 2000;
const LIMITS = { expansion: { floor: 16 * 1024 * 1024, ratio: 200 } };
/** Closing what a failed stream had open takes a moment, which is another thread's. */
const SETTLING_MS = 1000;

/** Fetches mutated images into a store, one after the other, and looks at what that did. */
export class CaseRun {
  readonly #base: string;
  readonly #seed: number;
  readonly #canary: Canary;
  readonly #probe = new StageProbe();
  readonly #openBefore = openFiles();

  constructor(base: string, seed: number) {
    this.#base = base;
    this.#seed = seed;
    this.#canary = new Canary(base);
  }

  async run(index: number): Promise<CaseResult> {
    const input = imageInput(new Dice(this.#seed, index), this.#canary);
    mkdirSync(join(this.#base, 'input'));
    const reference = input.write(join(this.#base, 'input'));
    resetPeakMemory();
    const started = performance.now();
    const error = await this.#fetch(reference);
    const milliseconds = performance.now() - started;
    const peakMegabytes = peakMemory();
    const problem = this.#problemOf(error) ?? (await this.#leak());
    this.#clear();
    return {
      ...{ index, surface: input.surface, stage: this.#probe.take() },
      refusal: error instanceof Error ? `${error.name}: ${error.message}` : undefined,
      ...{ problem, peakMegabytes, milliseconds },
    };
  }

  /** What went wrong, or undefined. */
  async #fetch(reference: string): Promise<unknown> {
    try {
      const store = openStore(join(this.#base, 'data'));
      await fetchLocal(store, reference, this.#base, { limits: LIMITS });
      return undefined;
    } catch (error) {
      return error;
    }
  }

  #problemOf(error: unknown): string | undefined {
    if (Reflect.get({}, 'polluted') !== undefined) return 'the prototype of all objects was changed';
    const left = this.#namesIn('tmp');
    if (left.length > 0) return `left in the store's tmp: ${left.join(', ')}`;
    const images = this.#namesIn('image').length;
    if (images !== (error === undefined ? 1 : 0)) return `${images} images are in the store`;
    return messageProblem(error) ?? this.#canary.touched(['input', 'data']);
  }

  #namesIn(directory: string): string[] {
    try {
      return readdirSync(join(this.#base, 'data/cas', directory));
    } catch {
      return [];
    }
  }

  /** What is open that was not before the first case. */
  async #leak(): Promise<string | undefined> {
    const until = performance.now() + SETTLING_MS;
    for (;;) {
      const left = openFiles().filter((file) => !this.#openBefore.includes(file));
      if (left.length === 0) return undefined;
      if (performance.now() > until) return `left open: ${left.join(', ')}`;
      await delay(1);
    }
  }

  #clear(): void {
    using base = openDirectory(this.#base);
    for (const name of ['input', 'data']) removeTree(base, name);
  }
}

function messageProblem(error: unknown): string | undefined {
  if (error === undefined) return undefined;
  if (!(error instanceof Error)) return `not an error was thrown: ${String(error)}`;
  if (!OURS.some((ours) => error instanceof ours)) return `not one of our errors: ${error.stack}`;
  if (/[\0-\x1f\x7f]/.test(error.message))
    return `message with control characters: ${JSON.stringify(error.message)}`;
  if (error.message.length > LONGEST_MESSAGE) return `message of ${error.message.length} characters`;
  return undefined;
}

/** By what they are, not by number: `/a/file`, `pipe:[1234]`. */
function openFiles(): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)];
    } catch {
      // The one that this directory was read with.
      return [];
    }
  });
}
