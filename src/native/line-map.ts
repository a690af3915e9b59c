/**
 * From a line of the compiled bundle to the TypeScript line it came from. The text form is small enough to be
 * carried by every program: file names, then runs of lines that advance together.
 *
 *     src/native/files.ts
 *     guest-init/main.ts
 *
 *     12 0 40 7        bundle lines 12 to 18 are lines 40 to 46 of file 0
 */
export interface Run {
  readonly bundleLine: number;
  readonly file: string;
  readonly sourceLine: number;
  readonly count: number;
}

export type LineMap = readonly Run[];

export function parseLineMap(text: string): LineMap {
  const [names = '', runs = ''] = text.split('\n\n');
  const files = names.split('\n');
  return runs
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [bundleLine = 0, file = 0, sourceLine = 0, count = 1] = line.split(' ').map(Number);
      return { bundleLine, file: files[file] ?? '?', sourceLine, count };
    });
}

/** Runs must be in the order of their bundle lines; neighbours that advance together are joined. */
export function formatLineMap(map: LineMap): string {
  const files = [...new Set(map.map((run) => run.file))];
  const joined: Run[] = [];
  for (const run of map) {
    const last = joined.at(-1);
    if (last !== undefined && continues(last, run)) {
      joined[joined.length - 1] = { ...last, count: run.bundleLine + run.count - last.bundleLine };
    } else {
      joined.push(run);
    }
  }
  const lines = joined.map((r) => `${r.bundleLine} ${files.indexOf(r.file)} ${r.sourceLine} ${r.count}`);
  return `${files.join('\n')}\n\n${lines.join('\n')}\n`;
}

function continues(last: Run, next: Run): boolean {
  const distance = next.bundleLine - last.bundleLine;
  return next.file === last.file && distance === last.count && next.sourceLine - last.sourceLine === distance;
}

/** The place of a bundle line, or undefined for lines that no source line made. */
export function sourceOf(map: LineMap, line: number): { file: string; line: number } | undefined {
  const run = map.findLast((r) => r.bundleLine <= line);
  if (run === undefined || line >= run.bundleLine + run.count) return undefined;
  return { file: run.file, line: run.sourceLine + line - run.bundleLine };
}

/** Rewrites the `name.js:LINE:COLUMN` of each frame; frames of unknown lines stay as they are. */
export function translateStack(stack: string, map: LineMap): string {
  return stack.replace(/[^\s()]+\.js:(\d+)(?::\d+)?/g, (whole, line: string) => {
    const place = sourceOf(map, Number(line));
    return place === undefined ? whole : `${place.file}:${place.line}`;
  });
}
