/** Prints rows of text in columns, the first to the left and numbers to the right. */
export function printTable(rows: readonly (readonly string[])[]): void {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  for (const row of rows) {
    const cells = row.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
    );
    process.stdout.write(`  ${cells.join('  ').trimEnd()}\n`);
  }
}

/** Says a number beside its goal. What is measured is a machine of this moment, so a missed goal is told and no failure. */
export function printGoal(what: string, value: number, goal: number, unit = ''): void {
  const verdict = value <= goal ? 'met' : 'missed';
  process.stdout.write(
    `  ${what}: ${value.toFixed(2)}${unit} (goal ${goal.toFixed(2)}${unit}: ${verdict})\n`,
  );
}

/** Likewise of what is to be large. */
export function printLeast(what: string, value: number, goal: number): void {
  const verdict = value >= goal ? 'met' : 'missed';
  process.stdout.write(`  ${what}: ${value.toFixed(2)} (goal at least ${goal.toFixed(2)}: ${verdict})\n`);
}

export function milliseconds(value: number): string {
  return `${value.toFixed(0)} ms`;
}
