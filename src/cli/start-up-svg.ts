import type { Analysis, Span, SpanName } from '../stage0/analyze.ts';
import { formatMilliseconds, MEANINGS, spanLabel } from './start-up-table.ts';

/** In pixels. */
const LABELS = 150;
const CHART = 640;
const TIMES = 90;
const HEAD = 56;
const ROW = 24;
const BAR = 16;
/** However long a prepared pod has waited. */
const WAIT = 40;
/** What takes next to no time can still be seen. */
const THINNEST = 1;

const COLOURS: Readonly<Record<SpanName, string>> = {
  command: '#7a869a',
  fetch: '#2a7de1',
  prepare: '#3fa7b5',
  wait: '#e4e7eb',
  mount: '#4fae7c',
  network: '#6bb35f',
  'set-up': '#8bb14a',
  vm: '#e0a526',
  kernel: '#e07b26',
  namespaces: '#e0a526',
  init: '#d1495b',
  app: '#8f5bc4',
  ready: '#5a5fd0',
};

/** A bar for each part of the start, one below the other, on one axis of time: a picture that needs nothing else to be shown. */
export function startUpSvg({ uuid, spans, work }: Analysis): string {
  const waits = spans.filter(({ name }) => name === 'wait').length;
  const scale = work === 0n ? 0 : (CHART - waits * WAIT) / Number(work);
  const width = LABELS + CHART + TIMES;
  const height = HEAD + spans.length * ROW + 12;
  const rows: string[] = [];
  let x = LABELS;
  for (const [index, span] of spans.entries()) {
    const length = span.name === 'wait' ? WAIT : Number(span.duration) * scale;
    rows.push(row(span, x, length, HEAD + index * ROW));
    x += length;
  }
  const title = `Start of pod ${uuid}`;
  return `<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">
<title>${escaped(title)}</title>
<rect width="100%" height="100%" fill="#ffffff"/>
<text x="12" y="22" font-size="15" fill="#1f2933">${escaped(title)}</text>
<text x="12" y="40" fill="#52606d">${escaped(`${formatMilliseconds(work)} of work`)}</text>
${rows.join('\n')}
</svg>
`;
}

function row(span: Span, x: number, length: number, y: number): string {
  const took = formatMilliseconds(span.duration);
  const middle = y + BAR - 4;
  const drawn = Math.max(length, THINNEST);
  return [
    `<g><title>${escaped(`${spanLabel(span)}: ${took} (${MEANINGS[span.name]})`)}</title>`,
    `<text x="${LABELS - 8}" y="${middle}" text-anchor="end" fill="#1f2933">${escaped(shortened(spanLabel(span)))}</text>`,
    `<rect x="${x.toFixed(2)}" y="${y}" width="${drawn.toFixed(2)}" height="${BAR}" fill="${COLOURS[span.name]}"/>`,
    `<text x="${(x + drawn + 6).toFixed(2)}" y="${middle}" fill="#52606d">${escaped(took)}</text></g>`,
  ].join('');
}

/** What does not fit is in the title that a browser shows for the bar. */
function shortened(label: string): string {
  return label.length <= 20 ? label : `${label.slice(0, 19)}…`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

/** As text of XML, which has no place for most control characters. */
export function escaped(text: string): string {
  return text
    .replaceAll(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}
