/** Pseudo-terminals and terminal modes. */
import { Packer, Unpacker } from './bytes.ts';
import { ioctl, ioctlSetInt } from './descriptors.ts';
import { close, open, open_ } from './files.ts';
import { attempt, checked } from './syscall.ts';

const TCGETS = 0x5401;
const TCSETS = 0x5402;
const TIOCSCTTY = 0x540e;
const TIOCGWINSZ = 0x5413;
const TIOCSWINSZ = 0x5414;
const TIOCGPTN = 0x80045430;
const TIOCSPTLCK = 0x40045431;
const TIOCGPTPEER = 0x5441;
const ENOTTY = -25;

export interface Pty {
  /** The side that holds the terminal: what is written here is typed. */
  readonly controller: number;
  /** The side that programs see. */
  readonly terminal: number;
  /** Its name under the devpts. */
  readonly index: number;
}

/** A new pair of the devpts that `ptmx` belongs to; the terminal is opened without any path (TIOCGPTPEER). */
export function openPty(ptmx = '/dev/ptmx'): Pty {
  const controller = open(ptmx, open_.readWrite | open_.noControllingTerminal);
  try {
    ioctlSetInt(controller, TIOCSPTLCK, 0);
    const flags = open_.readWrite | open_.noControllingTerminal | open_.closeOnExec;
    const terminal = ioctl(controller, TIOCGPTPEER, flags);
    const out = new Uint8Array(4);
    ioctl(controller, TIOCGPTN, out);
    return { controller, terminal, index: new Unpacker(out).u32() };
  } catch (error) {
    close(controller);
    throw error;
  }
}

export interface WindowSize {
  readonly rows: number;
  readonly columns: number;
}

/** Undefined where the fd is no terminal. */
export function windowSize(fd: number): WindowSize | undefined {
  const out = new Uint8Array(8);
  const result = attempt('ioctl', fd, TIOCGWINSZ, out);
  if (result === ENOTTY) return undefined;
  checked('ioctl', result);
  const fields = new Unpacker(out);
  return { rows: fields.u16(), columns: fields.u16() };
}

/** The programs of the terminal get a SIGWINCH if this changes anything. */
export function setWindowSize(fd: number, { rows, columns }: WindowSize): void {
  ioctl(fd, TIOCSWINSZ, new Packer(8).u16(rows).u16(columns).u32(0).finish());
}

/** Makes it the session's terminal; the caller leads a session that has none. */
export function setControllingTerminal(fd: number): void {
  ioctl(fd, TIOCSCTTY, 0);
}

/** The kernel's struct termios. */
export interface TerminalMode {
  readonly input: number;
  readonly output: number;
  readonly control: number;
  readonly local: number;
  readonly line: number;
  readonly characters: Uint8Array;
}

const MODE_BYTES = 36;
const CHARACTERS = 19;
const VTIME = 5;
const VMIN = 6;

/** IGNBRK BRKINT PARMRK ISTRIP INLCR IGNCR ICRNL IXON: everything that alters or interprets input. */
const RAW_INPUT = 0o1 | 0o2 | 0o10 | 0o40 | 0o100 | 0o200 | 0o400 | 0o2000;
const OPOST = 0o1;
/** ECHO ECHONL ICANON ISIG IEXTEN. */
const RAW_LOCAL = 0o10 | 0o100 | 0o2 | 0o1 | 0o100000;
const CSIZE_PARENB = 0o60 | 0o400;
const CS8 = 0o60;

/** Undefined where the fd is no terminal. */
export function terminalMode(fd: number): TerminalMode | undefined {
  const out = new Uint8Array(MODE_BYTES);
  const result = attempt('ioctl', fd, TCGETS, out);
  if (result === ENOTTY) return undefined;
  checked('ioctl', result);
  const f = new Unpacker(out);
  const [input, output, control, local] = [f.u32(), f.u32(), f.u32(), f.u32()];
  return { input, output, control, local, line: f.u8(), characters: f.take(CHARACTERS) };
}

export function setTerminalMode(fd: number, mode: TerminalMode): void {
  const packed = new Packer(MODE_BYTES)
    .u32(mode.input)
    .u32(mode.output)
    .u32(mode.control)
    .u32(mode.local)
    .u8(mode.line)
    .bytes(mode.characters);
  ioctl(fd, TCSETS, packed.finish());
}

/** As cfmakeraw(3): every byte as it is typed, nothing echoed, no signals from keys. */
export function rawMode(mode: TerminalMode): TerminalMode {
  const characters = mode.characters.slice();
  characters[VMIN] = 1;
  characters[VTIME] = 0;
  return {
    ...mode,
    input: (mode.input & ~RAW_INPUT) >>> 0,
    output: (mode.output & ~OPOST) >>> 0,
    control: ((mode.control & ~CSIZE_PARENB) | CS8) >>> 0,
    local: (mode.local & ~RAW_LOCAL) >>> 0,
    characters,
  };
}
