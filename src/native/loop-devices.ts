/** Files as block devices. */
import { Packer } from './bytes.ts';
import { ioctl } from './descriptors.ts';
import { hasCode } from './errors.ts';
import { close, File, open, open_ } from './files.ts';

const LOOP_CTL_GET_FREE = 0x4c82;
const LOOP_CONFIGURE = 0x4c0a;
const LO_FLAGS_READ_ONLY = 1;
const LO_FLAGS_AUTOCLEAR = 4;
/** Of struct loop_config: its size, where its flags are, and the name behind them. */
const CONFIG_BYTES = 304;
const FLAGS_AT = 60;
const NAME_BYTES = 64;
/** Of others who took the free one first. */
const MOST_TRIES = 32;

export interface LoopDevice extends Disposable {
  readonly path: string;
}

/** The device that a file is, as long as it is held, or mounted: then it goes by itself. `name` is for people who list them. */
export function attachLoop(file: number, name: string, readOnly: boolean): LoopDevice {
  for (let tries = 1; ; tries++) {
    const device = tryAttach(file, name, readOnly);
    if (device !== undefined) return device;
    if (tries === MOST_TRIES) throw new Error(`no loop device for ${name}: others take them`);
  }
}

function tryAttach(file: number, name: string, readOnly: boolean): LoopDevice | undefined {
  using control = File.open('/dev/loop-control', open_.readWrite);
  const path = `/dev/loop${ioctl(control.fd, LOOP_CTL_GET_FREE)}`;
  const fd = open(path, readOnly ? open_.readOnly : open_.readWrite);
  try {
    ioctl(fd, LOOP_CONFIGURE, configuration(file, name, readOnly));
    return { path, [Symbol.dispose]: () => close(fd) };
  } catch (error) {
    close(fd);
    if (hasCode(error, 'EBUSY')) return undefined;
    throw error;
  }
}

/** struct loop_config with its loop_info64; the block size is the kernel's choice. */
function configuration(file: number, name: string, readOnly: boolean): Uint8Array {
  const flags = LO_FLAGS_AUTOCLEAR | (readOnly ? LO_FLAGS_READ_ONLY : 0);
  return new Packer(CONFIG_BYTES)
    .u32(file)
    .zeros(FLAGS_AT - 4)
    .u32(flags)
    .text(name.slice(0, NAME_BYTES / 4), NAME_BYTES)
    .zeros(CONFIG_BYTES - FLAGS_AT - 4 - NAME_BYTES)
    .finish();
}
