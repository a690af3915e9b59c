/** What the kernel's files say of bytes that were moved. Pure. */
import type { InterfaceStatistics } from '../src/abi/statistics.ts';
import { flatNumbers } from '../src/native/flat-text.ts';

export interface Moved {
  readonly readBytes: number;
  readonly writtenBytes: number;
}

/** A group's io.stat, a line for each device: `254:0 rbytes=1 wbytes=2 ...`. Undefined where no device moved anything. */
export function movedByDevices(text: string): Moved | undefined {
  const lines = text.split('\n').filter((line) => line.includes('rbytes='));
  if (lines.length === 0) return undefined;
  const total = (key: string) =>
    sum(lines.map((line) => Number(new RegExp(` ${key}=(\\d+)`).exec(line)?.[1] ?? 0)));
  return { readBytes: total('rbytes'), writtenBytes: total('wbytes') };
}

/** Several /proc/PID/io. */
export function movedByCalls(texts: readonly string[]): Moved {
  const files = texts.map(flatNumbers);
  const total = (key: string) => sum(files.map((numbers) => numbers.get(key) ?? 0));
  return { readBytes: total('rchar'), writtenBytes: total('wchar') };
}

/** /proc/net/dev: two lines of heading, then `NAME: ` and eight numbers of what came in, eight of what went out. */
export function parseInterfaces(text: string): InterfaceStatistics[] {
  return text.split('\n').flatMap((line) => {
    const colon = line.indexOf(':');
    if (colon === -1) return [];
    const numbers = line
      .slice(colon + 1)
      .trim()
      .split(/\s+/)
      .map(Number);
    const at = (index: number) => numbers[index] ?? 0;
    return [
      {
        name: line.slice(0, colon).trim(),
        receivedBytes: at(0),
        receivedPackets: at(1),
        sentBytes: at(8),
        sentPackets: at(9),
      },
    ];
  });
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
