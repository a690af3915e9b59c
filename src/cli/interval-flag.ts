import { InvalidArgumentError } from 'commander';
import { parseDuration } from './duration.ts';
import { Flag, value } from './flag.ts';

/** Below that a look at the pods would be most of what they do. */
const SHORTEST_MILLISECONDS = 100;
/** What a timer takes. */
const LONGEST_MILLISECONDS = 2 ** 31 - 1;

/** `--interval=2s`; what a command gets of it is milliseconds. */
export function intervalFlag(description: string): Flag {
  const flag = new Flag('interval', value('DURATION'), description);
  flag.argParser((text: string) => {
    const milliseconds = parseDuration(text);
    if (milliseconds < SHORTEST_MILLISECONDS || milliseconds > LONGEST_MILLISECONDS)
      throw new InvalidArgumentError(`${JSON.stringify(text)} is not between 100ms and 24 days`);
    return milliseconds;
  });
  return flag;
}
