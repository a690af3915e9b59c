/** The kernel's files of one number a line: `usage_usec 123`, `MemTotal:  1024 kB`, `rchar: 7`. Pure. */
export function flatNumbers(text: string): ReadonlyMap<string, number> {
  const lines = text.split('\n').map((line) => /^([^\s:]+):?\s+(\d+)/.exec(line));
  return new Map(lines.flatMap((match) => (match === null ? [] : [[match[1] ?? '', Number(match[2])]])));
}
