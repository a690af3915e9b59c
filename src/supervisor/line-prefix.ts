import { concat } from '../native/bytes.ts';
import { utf8Encode } from '../native/engine.ts';

const NEWLINE = 10;
/** A longer line is cut: an app that never ends one must not cost memory. */
const LINE_BYTES = 16384;

/** Cuts a stream into lines and puts a label before each. Pure. */
export class LinePrefix {
  #rest: Uint8Array = new Uint8Array(0);

  /** `label` is asked at each line. */
  constructor(private readonly label: () => string) {}

  /** The labelled lines that these bytes complete. */
  add(bytes: Uint8Array): Uint8Array {
    const whole = this.#rest.length === 0 ? bytes : concat([this.#rest, bytes]);
    const parts: Uint8Array[] = [];
    let start = 0;
    for (let end = this.#lineEnd(whole, start); end !== undefined; end = this.#lineEnd(whole, start)) {
      parts.push(this.#line(whole.subarray(start, end)));
      start = whole[end] === NEWLINE ? end + 1 : end;
    }
    this.#rest = whole.slice(start);
    return concat(parts);
  }

  /** What was left without a newline. */
  end(): Uint8Array {
    const rest = this.#rest;
    this.#rest = new Uint8Array(0);
    return rest.length === 0 ? rest : this.#line(rest);
  }

  #lineEnd(bytes: Uint8Array, start: number): number | undefined {
    const newline = bytes.indexOf(NEWLINE, start);
    const length = (newline === -1 ? bytes.length : newline) - start;
    if (length > LINE_BYTES) return start + LINE_BYTES;
    return newline === -1 ? undefined : newline;
  }

  #line(text: Uint8Array): Uint8Array {
    return concat([utf8Encode(this.label()), text, new Uint8Array([NEWLINE])]);
  }
}

/** As rkt shows lines of several apps on a terminal: `[ 1515.218] name[pid]: `. */
export function lineLabel(milliseconds: number, app: string, pid: number | undefined): string {
  const seconds = Math.floor(milliseconds / 1000);
  const fraction = Math.floor(milliseconds % 1000);
  const time = `${String(seconds).padStart(5)}.${String(fraction).padStart(3, '0')}`;
  return `[${time}] ${app}${pid === undefined ? '' : `[${pid}]`}: `;
}
