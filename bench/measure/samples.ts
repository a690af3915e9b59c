import { parseArgs } from 'node:util';

/** One thing to measure: runs once and gives its numbers, in the order of the columns. */
export interface Subject {
  readonly name: string;
  measure(): Promise<readonly number[]>;
}

export interface Measured {
  readonly name: string;
  /** One for each column. */
  readonly medians: readonly number[];
}

/**
 * Runs all subjects in turn, `runs` times, so that whatever slows the machine for a while slows all alike.
 * A first round fills caches and does not count.
 */
export async function interleave(subjects: readonly Subject[], runs: number): Promise<Measured[]> {
  const samples = new Map(subjects.map((subject) => [subject, [] as (readonly number[])[]]));
  for (let round = 0; round <= runs; round++) {
    for (const [subject, taken] of samples) {
      const sample = await subject.measure();
      if (round > 0) taken.push(sample);
    }
  }
  return [...samples].map(([{ name }, taken]) => ({ name, medians: columns(taken).map(median) }));
}

/** The number of runs from `--runs=N`. */
export function runsFromArguments(standard: number): number {
  const { values } = parseArgs({ options: { runs: { type: 'string' } } });
  const runs = Number(values.runs ?? standard);
  if (!Number.isSafeInteger(runs) || runs < 1) throw new RangeError(`--runs is not a number: ${values.runs}`);
  return runs;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [low, high] = [sorted[sorted.length % 2 === 0 ? middle - 1 : middle], sorted[middle]];
  return ((low ?? Number.NaN) + (high ?? Number.NaN)) / 2;
}

function columns(rows: readonly (readonly number[])[]): number[][] {
  return (rows[0] ?? []).map((_, column) => rows.map((row) => row[column] ?? Number.NaN));
}
