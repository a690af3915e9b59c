/** Runs a filter of system calls as the kernel would: classic BPF over struct seccomp_data, as far as seccomp takes it. */

export interface SystemCall {
  readonly number: number;
  /** AUDIT_ARCH_*. */
  readonly architecture: number;
  readonly args?: readonly bigint[];
}

export interface Verdict {
  readonly action: number;
  /** What it took to come to it. */
  readonly instructions: number;
}

/** Throws where the kernel would refuse the program: an unknown instruction, a way that leaves it, no return at its end. */
export function runFilter(program: Uint8Array, call: SystemCall): Verdict {
  const code = new DataView(program.buffer, program.byteOffset, program.byteLength);
  const data = seccompData(call);
  let accumulator = 0;
  let instructions = 0;
  for (let at = 0; ; at++) {
    if (at * 8 >= program.length) throw new Error(`instruction ${at} is beyond the program`);
    const [yes, no] = [code.getUint8(at * 8 + 2), code.getUint8(at * 8 + 3)];
    const value = code.getUint32(at * 8 + 4, true);
    const branch = (holds: boolean) => {
      at += holds ? yes : no;
    };
    instructions += 1;
    const operation = code.getUint16(at * 8, true);
    switch (operation) {
      case 0x20:
        if (value % 4 !== 0) throw new Error(`a word at ${value}`);
        accumulator = data.getUint32(value, true);
        break;
      case 0x54:
        accumulator = (accumulator & value) >>> 0;
        break;
      case 0x05:
        at += value;
        break;
      case 0x15:
        branch(accumulator === value);
        break;
      case 0x25:
        branch(accumulator > value);
        break;
      case 0x35:
        branch(accumulator >= value);
        break;
      case 0x06:
        return { action: value, instructions };
      default:
        throw new Error(`unknown instruction 0x${operation.toString(16)}`);
    }
  }
}

/** nr, arch, instruction_pointer, args[6]. */
function seccompData({ number, architecture, args = [] }: SystemCall): DataView {
  const data = new DataView(new ArrayBuffer(64));
  data.setUint32(0, number, true);
  data.setUint32(4, architecture, true);
  args.forEach((argument, index) => {
    data.setBigUint64(16 + index * 8, argument, true);
  });
  return data;
}

/** Every way through a program stays in it and comes to an end: what the kernel checks before it takes one. */
export function checkFilter(program: Uint8Array): void {
  const code = new DataView(program.buffer, program.byteOffset, program.byteLength);
  const length = program.length / 8;
  if (length > 4096 || length < 1 || !Number.isInteger(length)) throw new Error(`${length} instructions`);
  for (let at = 0; at < length; at++) {
    const operation = code.getUint16(at * 8, true);
    const value = code.getUint32(at * 8 + 4, true);
    const leaps = [code.getUint8(at * 8 + 2), code.getUint8(at * 8 + 3)];
    const isJump = [0x15, 0x25, 0x35].includes(operation);
    const furthest = operation === 0x05 ? value : isJump ? Math.max(...leaps) : 0;
    if (operation !== 0x06 && at + 1 + furthest >= length)
      throw new Error(`instruction ${at} leaves the program`);
    if (operation === 0x20 && value > 60) throw new Error(`instruction ${at} reads beyond the call`);
  }
}
