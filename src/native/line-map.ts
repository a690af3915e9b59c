/**
 * From a place in the compiled bundle to the TypeScript line it came from. The text form is small enough to be
 * carried by every program: file names, then runs of lines that advance together.
 *
 *     src/native/files.ts
 *     guest-init/main.ts
 *
 *     12 0 0 40 7      bundle lines 12 to 18 are lines 40 to 46 of file 0
 *     14 31 0 44 1     but line 14 from column 31 on is line 44
 */
export interface Run {
  readonly bundleLine: number;
  /** Where in the line it starts; 0 for all runs but those within a line. */
  readonly column: number;
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
      const [bundleLine = 0, column = 0, file = 0, sourceLine = 0, count = 1] = line.split(' ').map(Number);
      return { bundleLine, column, file: files[file] ?? '?', sourceLine, count };
    });
}

/** Runs must be in the order of their places; neighbours that advance together are joined. */
export function formatLineMap(map: LineMap): string {
  const files = [...new Set(map.map((run) => run.file))];
  const joined: Run[] = [];
  let last = -1;
  for (const run of map) {
    const open = joined[last];
    if (run.column === 0 && open !== undefined && continues(open, run)) {
      joined[last] = { ...open, count: open.count + run.count };
      continue;
    }
    joined.push(run);
    if (run.column === 0) last = joined.length - 1;
  }
  const lines = joined.map(
    (r) => `${r.bundleLine} ${r.column} ${files.indexOf(r.file)} ${r.sourceLine} ${r.count}`,
  );
  return `${files.join('\n')}\n\n${lines.join('\n')}\n`;
}

function continues(last: Run, next: Run): boolean {
  const distance = next.bundleLine - last.bundleLine;
  return next.file === last.file && distance === last.count && next.sourceLine - last.sourceLine === distance;
}

/** The source of a place in the bundle, or undefined for what no source line made. */
export function sourceOf(
  map: LineMap,
  line: number,
  column: number,
): { file: string; line: number } | undefined {
  const covers = (r: Run) => r.bundleLine <= line && line < r.bundleLine + r.count && r.column <= column;
  const run = map.findLast(covers);
  return run && { file: run.file, line: run.sourceLine + line - run.bundleLine };
}

/** Rewrites the `name.js:LINE:COLUMN` of each frame; frames of unknown places stay as they are. */
export function translateStack(stack: string, map: LineMap): string {
  return stack.replace(
    /[^\s()]+\.js:(\d+)(?::(\d+))?/g,
    (whole, line: string, column: string | undefined) => {
      const place = sourceOf(map, Number(line), Number(column ?? 1));
      return place === undefined ? whole : `${place.file}:${place.line}`;
    },
  );
}
