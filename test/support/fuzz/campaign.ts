import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CaseResult } from './case-run.ts';
import { Dice } from './dice.ts';
import { imageInput } from './image-input.ts';
import { STAGES, type Stage } from './stage-probe.ts';

export interface Campaign {
  readonly seed: number;
  readonly first: number;
  /** Before which case it ends. */
  readonly end: number;
}

export interface CampaignResult {
  /** How many cases came how far, and not further. */
  readonly stages: Readonly<Record<Stage, number>>;
  readonly accepted: number;
  /** One line or more for each case that did what no image may make it do. */
  readonly failures: readonly string[];
  readonly peakMegabytes: number;
  readonly slowestMilliseconds: number;
}

const CASE_PROCESS = fileURLToPath(new URL('./case-process.ts', import.meta.url));
/**
 * Where a case leads out of its base, it finds a file system that nobody may write to: what is wrong in rkt is to fail a test, not
 * to empty the machine. The base is in memory, and gone with the process.
 */
const CONFINED = `
mount -o remount,bind,ro /
for path in $(cut -d ' ' -f 5 /proc/self/mountinfo); do
  [ "$path" = /proc ] || mount -o remount,bind,ro "$path" 2>/dev/null || true
done
mount -t tmpfs -o mode=0700 fuzz "$0"
exec "$@"`;
/** What a process may hold in its heap, and what may be resident of it: with everything that tests load beside rkt. */
const HEAP_MB = 128;
const RESIDENT_MB = 256;
const HANG_MS = 20_000;
const MOST_PROCESSES = 2;
const MOST_FAILURES = 20;

/** Runs cases in processes of their own, each of which is ended when a case takes too long. */
export async function runCampaign(campaign: Campaign): Promise<CampaignResult> {
  const tally = new Tally(campaign.seed);
  const processes = Math.min(MOST_PROCESSES, availableParallelism(), campaign.end - campaign.first);
  const shares = Array.from({ length: processes }, (_, at) => runShare(campaign, at, processes, tally));
  await Promise.all(shares);
  return tally;
}

/** Every `step`th case; after a case that ends its process, the next goes on in another. */
async function runShare(
  { seed, first, end }: Campaign,
  at: number,
  step: number,
  tally: Tally,
): Promise<void> {
  for (let next = first + at; next < end && tally.failures.length < MOST_FAILURES; ) {
    const base = mkdtempSync(join(tmpdir(), 'rkt-fuzz-'));
    try {
      const child = startCases(base, [seed, next, step, end]);
      const ended = await watch(child, (result) => {
        next = result.index + step;
        tally.add(result);
        if (tally.failures.length >= MOST_FAILURES) child.kill('SIGKILL');
      });
      if (next < end && tally.failures.length < MOST_FAILURES) tally.lost(next, ended);
      next += step;
    } finally {
      rmSync(base, { recursive: true });
    }
  }
}

function startCases(base: string, numbers: readonly number[]): ChildProcess {
  const node = [process.execPath, `--max-old-space-size=${HEAP_MB}`, '--import', 'tsx', CASE_PROCESS, base];
  const confined = ['--mount', '--propagation=private', 'sh', '-ec', CONFINED, base];
  const argv = [...confined, ...node, ...numbers.map(String)];
  return spawn('unshare', argv, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
}

/** Until the process has ended; says how. */
function watch(child: ChildProcess, take: (result: CaseResult) => void): Promise<string> {
  return new Promise((resolve, reject) => {
    let isHanging = false;
    const timer = setTimeout(() => {
      isHanging = true;
      child.kill('SIGKILL');
    }, HANG_MS);
    child.on('message', (result: CaseResult) => {
      timer.refresh();
      take(result);
    });
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      clearTimeout(timer);
      resolve(
        isHanging
          ? `took more than ${HANG_MS / 1000} s`
          : `ended its process: ${signal ?? `exit code ${code}`}`,
      );
    });
  });
}

class Tally implements CampaignResult {
  readonly stages: Record<Stage, number> = { nothing: 0, header: 0, entry: 0, extraction: 0 };
  readonly failures: string[] = [];
  accepted = 0;
  peakMegabytes = 0;
  slowestMilliseconds = 0;
  readonly #seed: number;

  constructor(seed: number) {
    this.#seed = seed;
  }

  add({ index, stage, refusal, problem, peakMegabytes, milliseconds }: CaseResult): void {
    this.stages[stage] += 1;
    if (refusal === undefined) this.accepted += 1;
    this.peakMegabytes = Math.max(this.peakMegabytes, peakMegabytes);
    this.slowestMilliseconds = Math.max(this.slowestMilliseconds, milliseconds);
    if (problem !== undefined) this.lost(index, `${problem}\n  after ${refusal ?? 'it was taken'}`);
    else if (peakMegabytes > RESIDENT_MB)
      this.lost(index, `took ${peakMegabytes.toFixed(0)} MB, more than ${RESIDENT_MB} MB`);
  }

  lost(index: number, problem: string): void {
    const directory = join(tmpdir(), `rkt-fuzz-case-${this.#seed}-${index}`);
    mkdirSync(directory, { recursive: true });
    const around = { outside: join(directory, 'outside'), token: 'escaped' };
    const reference = imageInput(new Dice(this.#seed, index), around).place({
      directory,
      serve: () => 'HOST',
    });
    const replay = `RKT_TEST_SEED=${this.#seed} RKT_FUZZ_ONLY=${index} npx vitest run --project functional image-fuzz`;
    this.failures.push(`case ${index} ${problem}\n  input: ${reference}\n  replay: ${replay}`);
  }
}

/** A line for people: how many cases came how far at least. */
export function formatStages(stages: Readonly<Record<Stage, number>>): string {
  const total = STAGES.reduce((sum, stage) => sum + stages[stage], 0);
  return STAGES.slice(1)
    .map((stage) => {
      const reached = STAGES.slice(STAGES.indexOf(stage)).reduce((sum, each) => sum + stages[each], 0);
      return `${stage} ${reached} (${((100 * reached) / total).toFixed(0)} %)`;
    })
    .join(', ');
}
