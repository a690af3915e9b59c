/**
 * What QEMU may not ask the kernel for when it is in the host's network namespace: sockets other than those of IP. The host's abstract
 * Unix sockets, its netlink and its packets are there, too, and QEMU has no business with them. Pure.
 */
import { Packer } from '../src/native/bytes.ts';

/** Offsets in struct seccomp_data; of an argument, an `int`, the low half is all that counts. */
const NUMBER = 0;
const ARCHITECTURE = 4;
const FIRST_ARGUMENT = 16;
const SECOND_ARGUMENT = 24;

const X86_64 = 0xc000003e;
/** The kernel's other numbers for the same calls begin here. */
const X32 = 0x40000000;
const SOCKET = 41;
const SOCKETPAIR = 53;
/** It makes sockets as well, past every filter. QEMU does without where there is none. */
const IO_URING_SETUP = 425;

const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_STREAM = 1;
const TYPE_MASK = 0xf;

const ALLOW = 0x7fff0000;
const ERRNO = 0x00050000;
const EPERM = 1;
const ENOSYS = 38;
const EAFNOSUPPORT = 97;

type Label = 'socket' | 'pair' | 'allow' | 'refuse' | 'no-family' | 'no-call';

/** To the label where it holds; else the next line. */
type Line =
  | { readonly do: 'load'; readonly offset: number }
  | { readonly do: 'mask'; readonly bits: number }
  | { readonly do: 'equal' | 'least'; readonly value: number; readonly to: Label }
  | { readonly do: 'unequal'; readonly value: number; readonly to: Label }
  | { readonly do: 'return'; readonly value: number }
  | { readonly do: 'label'; readonly name: Label };

const PROGRAM: readonly Line[] = [
  { do: 'load', offset: ARCHITECTURE },
  { do: 'unequal', value: X86_64, to: 'refuse' },
  { do: 'load', offset: NUMBER },
  { do: 'least', value: X32, to: 'refuse' },
  { do: 'equal', value: SOCKET, to: 'socket' },
  { do: 'equal', value: SOCKETPAIR, to: 'pair' },
  { do: 'equal', value: IO_URING_SETUP, to: 'no-call' },
  { do: 'return', value: ALLOW },
  { do: 'label', name: 'socket' },
  { do: 'load', offset: FIRST_ARGUMENT },
  { do: 'equal', value: AF_INET, to: 'allow' },
  { do: 'equal', value: AF_INET6, to: 'allow' },
  { do: 'return', value: ERRNO | EAFNOSUPPORT },
  // One of datagrams can be connected anew, to any name of the host; one of a stream, which virtio-fs uses, cannot.
  { do: 'label', name: 'pair' },
  { do: 'load', offset: SECOND_ARGUMENT },
  { do: 'mask', bits: TYPE_MASK },
  { do: 'unequal', value: SOCK_STREAM, to: 'no-family' },
  { do: 'label', name: 'allow' },
  { do: 'return', value: ALLOW },
  { do: 'label', name: 'refuse' },
  { do: 'return', value: ERRNO | EPERM },
  { do: 'label', name: 'no-family' },
  { do: 'return', value: ERRNO | EAFNOSUPPORT },
  { do: 'label', name: 'no-call' },
  { do: 'return', value: ERRNO | ENOSYS },
];

const LOAD = 0x20;
const AND = 0x54;
const JUMP_EQUAL = 0x15;
const JUMP_LEAST = 0x35;
const RETURN = 0x06;

/** An array of struct sock_filter. */
export function socketFilter(): Uint8Array {
  const lines = PROGRAM.filter((line) => line.do !== 'label');
  const out = new Packer(lines.length * 8);
  for (const [index, line] of lines.entries()) packLine(out, line, index);
  return out.finish();
}

/** code, jump if it holds, jump if not, value. */
function packLine(out: Packer, line: Line, index: number): void {
  switch (line.do) {
    case 'load':
      out.u16(LOAD).u8(0).u8(0).u32(line.offset);
      return;
    case 'mask':
      out.u16(AND).u8(0).u8(0).u32(line.bits);
      return;
    case 'equal':
      out.u16(JUMP_EQUAL).u8(distance(index, line.to)).u8(0).u32(line.value);
      return;
    case 'least':
      out.u16(JUMP_LEAST).u8(distance(index, line.to)).u8(0).u32(line.value);
      return;
    case 'unequal':
      out.u16(JUMP_EQUAL).u8(0).u8(distance(index, line.to)).u32(line.value);
      return;
    case 'return':
      out.u16(RETURN).u8(0).u8(0).u32(line.value);
      return;
    case 'label':
      return;
    default:
      line satisfies never;
  }
}

/** From the line after this one to a label, in lines that are packed. */
function distance(from: number, label: Label): number {
  const at = PROGRAM.findIndex((line) => line.do === 'label' && line.name === label);
  return PROGRAM.slice(0, at).filter((line) => line.do !== 'label').length - from - 1;
}
