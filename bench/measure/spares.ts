import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { SPARE, SPARES } from '../../src/abi/spares.ts';
import { TEMPLATES } from '../../src/abi/templates.ts';
import type { BenchHome } from './home.ts';
import type { Subject } from './samples.ts';
import { timed } from './timed.ts';

const LOOK_MS = 50;
const MOST_LOOKS = 600;
/** Who has made it has come to rest, too. */
const REST_MS = 200;

/** A command that takes a spare, each time when one waits; nobody is measured while the next is made. */
export function spared(
  name: string,
  home: BenchHome,
  command: readonly string[],
  of: 'exit' | 'firstByte',
): Subject {
  return {
    name,
    measure: async () => {
      const before = waiting(home);
      const time = (await timed(command))[of];
      await until(() => waiting(home) >= Math.max(before, 1));
      await delay(REST_MS);
      return [time];
    },
  };
}

/** Of all templates. */
function waiting({ dataDirectory }: BenchHome): number {
  const below = (path: string) => (existsSync(path) ? readdirSync(path).map((name) => join(path, name)) : []);
  return below(join(dataDirectory, TEMPLATES))
    .flatMap((scope) => below(join(scope, SPARES)))
    .flatMap(below)
    .filter((slot) => existsSync(join(slot, SPARE.socket))).length;
}

async function until(condition: () => boolean): Promise<void> {
  for (let looks = 0; !condition(); looks++) {
    if (looks === MOST_LOOKS) throw new Error('no spare machine has become ready');
    await delay(LOOK_MS);
  }
}
