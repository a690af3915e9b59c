const TAB_WIDTH = 8;
const PADDING = 1;

/**
 * A table as Go's text/tabwriter makes it for rkt: columns start at tab stops and are padded with TABs, so that people read
 * columns and scripts cut at TABs. All rows have the same number of cells.
 */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const stops = (rows[0] ?? []).map((_, column) => {
    const widest = Math.max(...rows.map((row) => width(row[column] ?? '')));
    return Math.ceil((widest + PADDING) / TAB_WIDTH) * TAB_WIDTH;
  });
  return rows
    .map((row) => `${row.map((cell, column) => padded(cell, stops, column, row)).join('')}\n`)
    .join('');
}

function padded(cell: string, stops: readonly number[], column: number, row: readonly string[]): string {
  if (column === row.length - 1) return cell;
  const missing = (stops[column] ?? 0) - width(cell);
  return cell + '\t'.repeat(Math.ceil(missing / TAB_WIDTH));
}

/** In characters, as Go counts: it knows nothing of wide ones. */
function width(text: string): number {
  return [...text].length;
}
