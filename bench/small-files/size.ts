/** How many files there are, and what is done with them. */
export const FILES = 10_000;
export const FILES_PER_DIRECTORY = 40;
export const WORK = [
  'find / -xdev',
  'again',
  'read 10,000 files',
  'again',
  'a loop of the processor',
] as const;
