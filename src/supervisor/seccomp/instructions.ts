/** The few instructions of classic BPF that a filter needs (<linux/bpf_common.h>). */

/** struct sock_filter; `yes` and `no` are how many instructions are leapt over. */
export interface Instruction {
  readonly code: number;
  readonly yes: number;
  readonly no: number;
  readonly value: number;
}

/** BPF_LD | BPF_W | BPF_ABS: a word of struct seccomp_data. */
const LOAD = 0x20;
/** BPF_ALU | BPF_AND | BPF_K. */
const AND = 0x54;
/** BPF_JMP with BPF_JA, and with a comparison to a constant. */
const JUMP = 0x05;
const COMPARE = { equal: 0x15, more: 0x25, 'at-least': 0x35 } as const;
/** BPF_RET | BPF_K. */
const RETURN = 0x06;

export function load(offset: number): Instruction {
  return { code: LOAD, yes: 0, no: 0, value: offset };
}

export function mask(bits: number): Instruction {
  return { code: AND, yes: 0, no: 0, value: bits };
}

export function jump(over: number): Instruction {
  return { code: JUMP, yes: 0, no: 0, value: over };
}

export function compare(how: keyof typeof COMPARE, value: number, yes: number, no: number): Instruction {
  return { code: COMPARE[how], yes, no, value };
}

export function returning(value: number): Instruction {
  return { code: RETURN, yes: 0, no: 0, value };
}
