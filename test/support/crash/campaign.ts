import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { PHASES, stateOf } from '../../../src/pod/state.ts';
import { assertNothingLeft, hostState } from '../leaks.ts';
import type { RktHome } from '../rkt.ts';
import { storeFiles } from '../store-files.ts';
import { foundPods, Histogram } from './histogram.ts';
import { EXPORTS, MAKERS, type Operation, REMOVERS, type Stage } from './operations.ts';
import { type CallPoint, killedAt, type Moment, readRecording, recorded, wasKilled } from './system-calls.ts';

/** One operation, as long as its pod is in one phase: each has its share of the crashes. */
interface Stratum {
  readonly operation: Operation;
  readonly moment: Moment;
  /** By the name of the call. */
  readonly calls: ReadonlyMap<string, readonly CallPoint[]>;
}

/**
 * Kills commands at system calls that they are known to make, and sees what is left. A round is one crash of what makes or runs a
 * pod, then one of what removes what the first has left; after each the pods must be in order, after both all must go away.
 */
export class CrashCampaign {
  readonly histogram = new Histogram();
  /** Those that killed, and the others: a program does not always make its calls in the same number. */
  killed = 0;
  missed = 0;
  readonly #stage: Stage;
  readonly #random: () => number;
  readonly #before = hostState();
  readonly #decks = new Map<readonly Stratum[], Stratum[]>();
  #makers: readonly Stratum[] = [];
  readonly #removers = new Map<Moment, readonly Stratum[]>();
  #files: readonly string[] = [];

  constructor(stage: Stage, random: () => number) {
    this.#stage = stage;
    this.#random = random;
  }

  /** Runs every operation once and notes its system calls. */
  async record(): Promise<void> {
    const { rkt } = this.#stage;
    const recordOf = async (operation: Operation, pod?: string): Promise<Stratum[]> => {
      const log = rkt.path('recording');
      await operation.perform(this.#stage, (argv) => rkt.startArgv(recorded(log, argv)), pod);
      return strata(operation, readRecording(log, operation.starts));
    };
    mkdirSync(rkt.path(EXPORTS));
    // The images are in the store by then.
    await this.#podIn('run');
    const makers: Stratum[] = [];
    for (const operation of MAKERS) makers.push(...(await recordOf(operation)));
    this.#makers = makers;
    await this.#clean();
    for (const operation of REMOVERS) {
      // Alone: `gc` would do with all of them what it does with one.
      const pod = await this.#podIn(operation.starts);
      const known = this.#removers.get(operation.starts) ?? [];
      this.#removers.set(operation.starts, [...known, ...(await recordOf(operation, pod))]);
    }
    await this.#clean();
    this.#files = filesOf(rkt);
  }

  /** Two crashes, and then, `withRun`, a pod as if nothing had been. Throws what does not hold after them, with what was done. */
  async round(withRun: boolean): Promise<void> {
    const done: string[] = [];
    try {
      await this.#crash(this.#deal(this.#makers), undefined, done);
      const { starts, pod } = await this.#remains();
      await this.#crash(this.#deal(this.#removers.get(starts) ?? []), pod, done);
      await this.#clean();
      if (withRun) await this.nextRun();
    } catch (cause) {
      throw new Error(`after ${done.join(', ')}: ${cause instanceof Error ? cause.message : cause}`, {
        cause,
      });
    }
  }

  async #crash({ operation, calls }: Stratum, pod: string | undefined, done: string[]): Promise<void> {
    const { rkt } = this.#stage;
    const point = this.#pick(this.#pick([...calls.values()]));
    done.push(`${operation.name} killed at ${point.call} ${point.nth} (${point.moment})`);
    const log = rkt.path('crash');
    const start = (argv: readonly string[]) => {
      const command = rkt.startArgv(killedAt(point, log, argv));
      // At its end, before the operation goes on to end what it may have left.
      command.finished.then(
        () => wasKilled(log) && this.histogram.note(foundPods(rkt)),
        () => {},
      );
      return command;
    };
    await operation.perform(this.#stage, start, pod);
    if (wasKilled(log)) this.killed += 1;
    else this.missed += 1;
    await this.#inOrder();
  }

  /** A pod for the second crash: what the first has left, or one that is prepared, beside it. */
  async #remains(): Promise<{ readonly starts: Moment; readonly pod: string }> {
    const { rkt } = this.#stage;
    const found = foundPods(rkt).find(({ phase }) => phase === 'run' || phase === 'prepared');
    if (found !== undefined) return { starts: found.phase, pod: found.uuid };
    return { starts: 'prepared', pod: await this.#podIn('prepared') };
  }

  /** Makes one that is prepared, or has run. */
  async #podIn(moment: Moment): Promise<string> {
    const { rkt, image } = this.#stage;
    const uuid = (await rkt.output(['prepare', image])).trim();
    if (moment === 'run') await rkt.output(['run-prepared', '--net=none', uuid]);
    return uuid;
  }

  /** `list` tells every pod as its directory and its lock do, and nobody holds one any more. */
  async #inOrder(): Promise<void> {
    const { rkt } = this.#stage;
    const found = foundPods(rkt).filter(({ phase }) => phase !== 'embryo');
    const { code, stdout, stderr } = await rkt.run(['list', '--full', '--format=json']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const listed: readonly { name: string; state: string }[] = JSON.parse(stdout) ?? [];
    const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
    expect(listed.map(({ name, state }) => ({ name, state })).sort(byName)).toEqual(
      found.map(({ uuid, phase }) => ({ name: uuid, state: stateOf(phase, false) })).sort(byName),
    );
  }

  /** `gc` takes all of it away, and what is not a pod's is as it was. */
  async #clean(): Promise<void> {
    const { rkt } = this.#stage;
    const pods = rkt.notePods();
    await rkt.output(['gc', '--grace-period=0s', '--expire-prepared=0s']);
    await assertNothingLeft(this.#before, rkt.scope, rkt.dir, pods);
    expect(await rkt.list()).toEqual([]);
    if (this.#files.length > 0) expect(filesOf(rkt)).toEqual(this.#files);
    const ids = (await rkt.output(['image', 'list', '--no-legend', '--full', '--fields=id'])).trim();
    await rkt.output(['image', 'verify', ...ids.split('\n')]);
  }

  async nextRun(): Promise<void> {
    const { rkt, image } = this.#stage;
    expect(await rkt.output(['run', '--net=none', '--rm', image])).toBe('hello from the image\n');
  }

  /** Each stratum in its turn, in an order of chance. */
  #deal(all: readonly Stratum[]): Stratum {
    const deck = this.#decks.get(all) ?? [];
    if (deck.length === 0) deck.push(...all);
    this.#decks.set(all, deck);
    const [stratum] = deck.splice(Math.floor(this.#random() * deck.length), 1);
    if (stratum === undefined) throw new RangeError('nothing to deal');
    return stratum;
  }

  #pick<T>(list: readonly T[]): T {
    const chosen = list[Math.floor(this.#random() * list.length)];
    if (chosen === undefined) throw new RangeError('nothing to pick from');
    return chosen;
  }
}

/** All that rkt may leave that is no pod's: in the store, for others to lock, in passing, and beside what it was to write. */
function filesOf(rkt: RktHome): string[] {
  const [locks, temporary] = [join(rkt.dir, 'locks'), rkt.path('tmp')];
  return [
    ...storeFiles(rkt.dir),
    ...[locks, temporary, rkt.path(EXPORTS)].flatMap((path) => readdirSync(path)),
  ];
}

function strata(operation: Operation, points: readonly CallPoint[]): Stratum[] {
  const moments: readonly Moment[] = operation.moments ?? ['none', ...PHASES];
  return moments.flatMap((moment) => {
    const calls = new Map<string, CallPoint[]>();
    for (const point of points.filter((each) => each.moment === moment))
      calls.set(point.call, [...(calls.get(point.call) ?? []), point]);
    return calls.size === 0 ? [] : [{ operation, moment, calls }];
  });
}
