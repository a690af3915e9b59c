import { expect, test } from 'vitest';
import { LiveTable } from '../../../src/cli/live-table.ts';

function screen(columns: number, rows: number) {
  const written: string[] = [];
  return { columns, rows, written, write: (text: string) => written.push(text) };
}

test('TABs take their place, and nothing is wider or higher than the terminal', () => {
  const terminal = screen(20, 4);
  const table = new LiveTable(terminal);
  table.show('UUID\tAPP\n12345678\tx\n1234567890\tan app with a long name\nfour\nfive\n');
  expect(terminal.written.join('')).toBe(
    ['\x1b[?25lUUID    APP\x1b[K', '12345678        x\x1b[K', '1234567890      an a\x1b[K', '\x1b[J'].join(
      '\n',
    ),
  );
});

test('the next one is drawn over it, and the last one stays as it is', () => {
  const terminal = screen(80, 24);
  {
    using table = new LiveTable(terminal);
    table.show('one\n');
    table.show('two\tcells\n');
  }
  expect(terminal.written.slice(1).join('')).toBe(
    '\x1b[1A\rtwo     cells\x1b[K\n\x1b[J\x1b[1A\r\x1b[J\x1b[?25htwo\tcells\n',
  );
});
