/** What this host and the caller's environment say about running a machine. */
import { ACCEL_ENV } from '../src/abi/stage1.ts';
import { readText } from '../src/native/contents.ts';
import { environment } from '../src/native/engine.ts';
import { SystemError } from '../src/native/errors.ts';
import { close, open, open_ } from '../src/native/files.ts';
import { type HostFacts, parseCpuInfo } from './accelerator.ts';

export interface Host extends HostFacts {
  readonly cpus: number;
  readonly tscKilohertz: number | undefined;
}

export function readHost(): Host {
  const { flags, count, kilohertz } = parseCpuInfo(readText('/proc/cpuinfo'));
  return {
    flags,
    cpus: count,
    tscKilohertz: kilohertz,
    kvmRefusal: tryKvm(),
    wanted: environment(ACCEL_ENV),
  };
}

function tryKvm(): string | undefined {
  try {
    close(open('/dev/kvm', open_.readWrite));
    return undefined;
  } catch (error) {
    if (error instanceof SystemError) return error.message;
    throw error;
  }
}
