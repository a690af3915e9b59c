import { access, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { buildDir } from './paths.ts';

export type Outcome = 'built' | 'cached';

/** Runs one step of a build and prints its name with what it took; `note` tells what came of it. */
export async function step<T>(
  name: string,
  work: (note: (outcome: Outcome) => void) => Promise<T>,
): Promise<T> {
  const started = performance.now();
  const noted: { outcome: Outcome | 'failed' } = { outcome: 'built' };
  try {
    return await work((outcome) => {
      noted.outcome = outcome;
    });
  } catch (error) {
    noted.outcome = 'failed';
    throw error;
  } finally {
    const took = noted.outcome === 'built' ? seconds(started) : noted.outcome;
    process.stdout.write(`  ${name.padEnd(32)} ${took}\n`);
  }
}

/**
 * Like `Promise.all`, but fails only when everything has come to its end: an error in one step should not
 * leave another's compiler running, nor hide whether it works.
 */
export async function together<T extends readonly unknown[]>(
  work: {
    readonly [K in keyof T]: Promise<T[K]>;
  },
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  await Promise.allSettled(work);
  return Promise.all(work);
}

/** The time since `performance.now()` gave `started`, as text. */
export function seconds(started: number): string {
  return `${((performance.now() - started) / 1000).toFixed(1)} s`;
}

/**
 * Makes artefacts unless they are there, made from the same inputs. The key is recorded last: an interrupted
 * build is built again.
 */
export async function keyed(
  name: string,
  key: string,
  paths: readonly string[],
  make: () => Promise<void>,
): Promise<Outcome> {
  if (await isKeyed(name, key, paths)) return 'cached';
  await make();
  await writeWhole(keyFile(name), key);
  return 'built';
}

/** Whether artefacts are there, made from the inputs that the key stands for. */
export async function isKeyed(name: string, key: string, paths: readonly string[]): Promise<boolean> {
  const recorded = await readFile(keyFile(name), 'utf8').catch(() => '');
  return recorded === key && (await allExist(paths));
}

function keyFile(name: string): string {
  return join(buildDir, 'keys', name);
}

/** Writes a file so that a reader sees the old content or the new one, never a part. */
export async function writeWhole(path: string, bytes: string | Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.tmp`;
  await writeFile(temporary, bytes);
  await rename(temporary, path);
}

async function allExist(paths: readonly string[]): Promise<boolean> {
  const found = await Promise.all(
    paths.map((path) =>
      access(path).then(
        () => true,
        () => false,
      ),
    ),
  );
  return found.every(Boolean);
}
