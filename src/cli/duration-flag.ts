import { parseDuration } from './duration.ts';
import { Flag, value } from './flag.ts';

/** A flag whose value is a duration of Go's; what a command gets of it is milliseconds. */
export function durationFlag(name: string, description: string, fallback: string): Flag {
  const flag = new Flag(name, value('DURATION'), description);
  flag.argParser(parseDuration).default(parseDuration(fallback), fallback);
  return flag;
}
