import type { BootPlan, KernelSetting } from '../src/abi/boot-plan.ts';
import { writeControl } from '../src/native/contents.ts';
import { SystemError } from '../src/native/errors.ts';
import { InitError } from './error.ts';

/** In their order. What this kernel does not have, or does not take, is said in the sentences that this gives; not by a pod that is strict. */
export function setKernelSettings({ sysctls, strict }: BootPlan): string[] {
  const refusals = sysctls.flatMap((setting) => refusalOf(setting) ?? []);
  if (strict && refusals.length > 0) throw new InitError('sysctls', refusals.join('; '));
  return refusals;
}

function refusalOf({ path, value }: KernelSetting): string | undefined {
  try {
    writeControl(`/proc/sys/${path}`, value);
    return undefined;
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    return `the setting ${path} could not be set to ${JSON.stringify(value)}: ${error.message}`;
  }
}
