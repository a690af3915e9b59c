/**
 * Which devices the processes of a control group may open and make nodes of: a program for the kernel's own machine (eBPF, type
 * CGROUP_DEVICE), which v2 has in place of v1's controller of devices. It is asked at each open and each mknod.
 */
import { Packer } from './bytes.ts';
import { addressOf, utf8Encode } from './engine.ts';
import { close } from './files.ts';
import { call } from './syscall.ts';

/** `use` is some of the letters r, w and m. Null numbers are any. */
export interface DeviceRule {
  readonly kind: 'char' | 'block';
  readonly major: number | null;
  readonly minor: number | null;
  readonly use: string;
}

/** struct bpf_cgroup_dev_ctx: the kind in the low half of the first word, and what is wanted in the high one; major; minor. */
const KINDS = { block: 1, char: 2 } as const;
const USES: ReadonlyMap<string, number> = new Map([
  ['m', 1],
  ['r', 2],
  ['w', 4],
]);

interface Instruction {
  readonly code: number;
  readonly to?: number;
  readonly from?: number;
  readonly offset?: number;
  readonly value?: number;
}

const LOAD_WORD = 0x61;
const AND = 0x57;
const SHIFT_RIGHT = 0x77;
const COPY = 0xbf;
const SET = 0xb7;
const UNLESS_EQUAL = 0x55;
const EXIT = 0x95;
/** Registers: the verdict, the context, and what is asked for. */
const R = { verdict: 0, context: 1, kind: 2, use: 3, major: 4, minor: 5, rest: 6 } as const;

/** What no rule allows is refused. */
function deviceFilter(rules: readonly DeviceRule[]): Uint8Array {
  const program: readonly Instruction[] = [
    { code: LOAD_WORD, to: R.kind, from: R.context, offset: 0 },
    { code: COPY, to: R.use, from: R.kind },
    { code: AND, to: R.kind, value: 0xffff },
    { code: SHIFT_RIGHT, to: R.use, value: 16 },
    { code: LOAD_WORD, to: R.major, from: R.context, offset: 4 },
    { code: LOAD_WORD, to: R.minor, from: R.context, offset: 8 },
    ...rules.flatMap(ruleProgram),
    ...verdict(0),
  ];
  const bytes = new Packer(program.length * 8);
  for (const { code, to = 0, from = 0, offset = 0, value = 0 } of program)
    bytes
      .u8(code)
      .u8((from << 4) | to)
      .u16(offset)
      .u32(value);
  return bytes.finish();
}

/** Each check that does not hold skips to the next rule. */
function ruleProgram({ kind, major, minor, use }: DeviceRule): Instruction[] {
  const allowed = [...use].reduce((bits, letter) => bits | (USES.get(letter) ?? 0), 0);
  const checks: Instruction[] = [
    { code: UNLESS_EQUAL, to: R.kind, value: KINDS[kind] },
    ...(major === null ? [] : [{ code: UNLESS_EQUAL, to: R.major, value: major }]),
    ...(minor === null ? [] : [{ code: UNLESS_EQUAL, to: R.minor, value: minor }]),
    { code: COPY, to: R.rest, from: R.use },
    { code: AND, to: R.rest, value: ~allowed >>> 0 },
    { code: UNLESS_EQUAL, to: R.rest, value: 0 },
    ...verdict(1),
  ];
  return checks.map((check, at) =>
    check.code === UNLESS_EQUAL ? { ...check, offset: checks.length - at - 1 } : check,
  );
}

function verdict(value: 0 | 1): Instruction[] {
  return [{ code: SET, to: R.verdict, value }, { code: EXIT }];
}

const BPF_PROG_LOAD = 5;
const BPF_PROG_ATTACH = 8;
const BPF_PROG_TYPE_CGROUP_DEVICE = 15;
const BPF_CGROUP_DEVICE = 6;

/** Programs of this process, and of its children, by their rules: the kernel has checked and translated them, which takes it a while. */
const kept = new Map<string, number>();

/** For groups to come. */
export function keepDeviceFilter(rules: readonly DeviceRule[]): void {
  kept.set(JSON.stringify(rules), load(deviceFilter(rules)));
}

/** For the group of v2 that is open as `group`, in place of what it has had. */
export function attachDeviceFilter(group: number, rules: readonly DeviceRule[]): void {
  const known = kept.size === 0 ? undefined : kept.get(JSON.stringify(rules));
  const fd = known ?? load(deviceFilter(rules));
  const attachment = new Packer(16).u32(group).u32(fd).u32(BPF_CGROUP_DEVICE).u32(0).finish();
  call('bpf', BPF_PROG_ATTACH, attachment, attachment.length);
  if (known === undefined) close(fd);
}

function load(program: Uint8Array): number {
  const license = utf8Encode('\0');
  const order = new Packer(48)
    .u32(BPF_PROG_TYPE_CGROUP_DEVICE)
    .u32(program.length / 8)
    .u64(addressOf(program))
    .u64(addressOf(license))
    .zeros(24)
    .finish();
  return call('bpf', BPF_PROG_LOAD, order, order.length);
}
