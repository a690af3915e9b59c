import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fetchImage, type Network, parseReference } from '../../../src/image/index.ts';
import { openDirectory } from '../../../src/os/descriptor.ts';
import { removeTree } from '../../../src/os/tree.ts';
import { openStore } from '../../../src/store/index.ts';
import { fetchContext } from '../fetch.ts';
import { type Answer, ScriptedServer } from '../scripted-server.ts';
import { Canary } from './canary.ts';
import { Dice } from './dice.ts';
import { messageProblem } from './error-message.ts';
import { imageInput, type Site, type Surface, validInput } from './image-input.ts';
import { peakMemory, resetPeakMemory } from './memory.ts';
import { OpenFiles } from './open-files.ts';
import { type Stage, StageProbe } from './stage-probe.ts';
import { skipPauses } from './timeless.ts';

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

const INSECURE = ['image', 'http'] as const;
const LIMITS = { expansion: { floor: 16 * 1024 * 1024, ratio: 200 } };

/** Fetches mutated images into a store, one after the other, and looks at what that did. */
export class CaseRun implements AsyncDisposable {
  readonly #base: string;
  readonly #seed: number;
  readonly #canary: Canary;
  readonly #probe = new StageProbe();
  readonly #registry: ScriptedServer;
  /** For all cases: the authorities of the system are read once. */
  readonly #network: Network;
  #answer: Answer = (_request, response) => void response.writeHead(404).end();
  #openFiles = new OpenFiles();

  private constructor(base: string, seed: number, registry: ScriptedServer) {
    this.#base = base;
    this.#seed = seed;
    this.#canary = new Canary(base);
    this.#registry = registry;
    this.#network = fetchContext(openStore(base), INSECURE).network;
  }

  /** `base`: a directory that is its alone. */
  static async start(base: string, seed: number): Promise<CaseRun> {
    skipPauses();
    const answer: Answer = (request, response) => run.#answer(request, response);
    const run: CaseRun = new CaseRun(base, seed, await ScriptedServer.start(answer));
    // What is opened once for all stays open: libraries, this process's own sockets.
    await run.#fetch(validInput().place(run.#site()));
    run.#clear();
    run.#openFiles = new OpenFiles();
    return run;
  }

  async run(index: number): Promise<CaseResult> {
    const input = imageInput(new Dice(this.#seed, index), this.#canary);
    const reference = input.place(this.#site());
    this.#probe.take();
    resetPeakMemory();
    const started = performance.now();
    const error = await this.#fetch(reference);
    const milliseconds = performance.now() - started;
    const peakMegabytes = peakMemory();
    const left = await this.#openFiles.left(() => this.#registry.server.closeAllConnections());
    const problem = messageProblem(error) ?? this.#problemOf(error === undefined) ?? left;
    this.#clear();
    return {
      ...{ index, surface: input.surface, stage: this.#probe.take() },
      refusal: error instanceof Error ? `${error.name}: ${error.message}` : undefined,
      ...{ problem, peakMegabytes, milliseconds },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#network[Symbol.asyncDispose]();
    await this.#registry.close();
  }

  #site(): Site {
    const directory = join(this.#base, 'input');
    mkdirSync(directory);
    const serve = (answer: Answer) => {
      this.#answer = answer;
      return this.#registry.address;
    };
    return { directory, serve };
  }

  /** What went wrong, or undefined. */
  async #fetch(text: string): Promise<unknown> {
    try {
      const store = openStore(join(this.#base, 'data'));
      using pins = store.pins();
      const context = { ...fetchContext(store, INSECURE), network: this.#network };
      const request = { reference: parseReference(text, this.#base), pullPolicy: 'update' } as const;
      await fetchImage(context, request, { pins, extract: true, limits: LIMITS });
      return undefined;
    } catch (error) {
      return error;
    }
  }

  #problemOf(isTaken: boolean): string | undefined {
    if (Reflect.get({}, 'polluted') !== undefined) return 'the prototype of all objects was changed';
    const left = this.#namesIn('tmp');
    if (left.length > 0) return `left in the store's tmp: ${left.join(', ')}`;
    const images = this.#namesIn('image').length;
    if (images !== (isTaken ? 1 : 0)) return `${images} images are in the store`;
    return this.#canary.touched(['input', 'data']);
  }

  #namesIn(directory: string): string[] {
    try {
      return readdirSync(join(this.#base, 'data/cas', directory));
    } catch {
      return [];
    }
  }

  #clear(): void {
    using base = openDirectory(this.#base);
    for (const name of ['input', 'data']) removeTree(base, name);
    this.#registry.requests.length = 0;
  }
}
