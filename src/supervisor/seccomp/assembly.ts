import { SupervisorError } from '../error.ts';

/** The few instructions of classic BPF that a filter needs (<linux/bpf_common.h>, <linux/filter.h>). */
const LOAD = 0x20;
const AND = 0x54;
const JUMP = 0x05;
const COMPARE = { equal: 0x15, more: 0x25, 'at-least': 0x35 } as const;
const RETURN = 0x06;

/** Of struct sock_filter. */
const BYTES = 8;
/** BPF_MAXINSNS. */
const LONGEST = 4096;
/** How far a comparison leads: its distances have a byte each. Up to two jumps may come between. */
const REACH = 255 - 2;

/** An instruction by its distance from the end: what comes before it does not move it. */
export type Place = number;

interface Instruction {
  readonly code: number;
  readonly yes: number;
  readonly no: number;
  readonly value: number;
}

/**
 * A program, written from its end to its beginning: all ways lead forward, so that each leads to what has a place already. What is
 * written returns its place; the last one is where the program begins. Throws SupervisorError `unsupported` when it gets longer than the
 * kernel takes.
 */
export class Assembly {
  readonly #backwards: Instruction[] = [];
  readonly #returns = new Map<number, Place>();

  /** A return that is in reach serves again. */
  return(value: number): Place {
    const known = this.#returns.get(value);
    if (known !== undefined && this.#isNear(known)) return known;
    const place = this.#write(RETURN, value);
    this.#returns.set(value, place);
    return place;
  }

  /** A word of struct seccomp_data, of which only some bits may count, and what is done with it. */
  load(offset: number, bits: number | undefined, next: Place): Place {
    if (next !== this.#backwards.length) this.#jump(next);
    if (bits !== undefined) this.#write(AND, bits);
    return this.#write(LOAD, offset);
  }

  compare(how: keyof typeof COMPARE, value: number, yes: Place, no: Place): Place {
    const near = [yes, no].map((place) => (this.#isNear(place) ? place : this.#jump(place)));
    const here = this.#backwards.length;
    const [toYes = 0, toNo = 0] = near.map((place) => here - place);
    return this.#write(COMPARE[how], value, toYes, toNo);
  }

  /** An array of struct sock_filter. */
  finish(): Uint8Array {
    const bytes = new Uint8Array(this.#backwards.length * BYTES);
    const view = new DataView(bytes.buffer);
    let at = bytes.length;
    for (const { code, yes, no, value } of this.#backwards) {
      at -= BYTES;
      view.setUint16(at, code, true);
      view.setUint8(at + 2, yes);
      view.setUint8(at + 3, no);
      view.setUint32(at + 4, value, true);
    }
    return bytes;
  }

  #jump(to: Place): Place {
    return this.#write(JUMP, this.#backwards.length - to);
  }

  #isNear(place: Place): boolean {
    return this.#backwards.length - place <= REACH;
  }

  #write(code: number, value: number, yes = 0, no = 0): Place {
    if (this.#backwards.length === LONGEST)
      throw new SupervisorError('unsupported', `a filter has more than ${LONGEST} instructions`);
    return this.#backwards.push({ code, yes, no, value });
  }
}
