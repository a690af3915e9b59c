/** Which kernel stage1-kvm's image gets: ours once `npm run build:kernel` has made it, Debian's before; RKT_KERNEL names one. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BuildError } from './error.ts';
import { type BuiltKernel, buildKernel, isKernelBuilt, kernelDir } from './kernel.ts';
import { ownKernelKey } from './own-kernel.ts';
import { kernelSource } from './pins.ts';
import { writeWhole } from './step.ts';

const CHOICE_ENV = 'RKT_KERNEL';
const DEBIAN = 'debian';
/** Holds the key of our kernel. */
const record = join(kernelDir, 'own');

export async function useOwnKernel(key: string): Promise<void> {
  await writeWhole(record, key);
}

/** `debian`, or the key of our kernel. */
export async function kernelChoice(): Promise<string> {
  const recorded = await readFile(record, 'utf8').catch(() => undefined);
  const own = recorded !== undefined && (await isKernelBuilt(recorded)) ? recorded : undefined;
  return chooseKernel(process.env[CHOICE_ENV], own);
}

/** Pure. `own`: the key of our kernel, where it has been made. */
export function chooseKernel(wanted: string | undefined, own: string | undefined): string {
  switch (wanted) {
    case undefined:
    case '':
      return own ?? DEBIAN;
    case DEBIAN:
      return DEBIAN;
    case 'own':
      if (own !== undefined) return own;
      throw new BuildError('NOT_BUILT', `${CHOICE_ENV}=own: npm run build:kernel makes our kernel first`);
    default:
      throw new BuildError('NOT_BUILT', `${CHOICE_ENV} is ${wanted}, not debian or own`);
  }
}

export async function buildChosenKernel(): Promise<BuiltKernel> {
  const choice = await kernelChoice();
  if (choice === DEBIAN) return buildKernel();
  if (choice !== (await ownKernelKey(kernelSource)))
    process.stdout.write('  our kernel is of an older configuration: npm run build:kernel makes it anew\n');
  return { key: choice, outcome: 'cached' };
}
