import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeStage1Image } from '../stage1-kvm/image/image.ts';
import { writeInitramfs } from '../stage1-kvm/image/initramfs.ts';
import { digest, digestFiles } from './digest.ts';
import { loadKernel } from './kernel.ts';
import { artefacts, rootDir } from './paths.ts';
import { keyed, type Outcome, writeWhole } from './step.ts';

/** Paths of the compiled programs, and the key of the kernel in the build folder. */
export type Stage1Inputs = { readonly program: string; readonly init: string; readonly kernelKey: string };

/** Writes stage1-kvm.aci unless the one there was made from the same parts. */
export async function buildStage1Image(inputs: Stage1Inputs): Promise<Outcome> {
  const parts = [
    await packageVersion(),
    await readNotice(),
    await readFile(inputs.program),
    await readFile(inputs.init),
  ];
  const recipe = await digestFiles(rootDir, ['stage1-kvm/image', 'src/abi']);
  return keyed('stage1-kvm', digest(...parts, inputs.kernelKey, recipe), [artefacts.stage1Kvm], async () =>
    writeWhole(artefacts.stage1Kvm, await assembleStage1Image(inputs)),
  );
}

/** The bytes of the image: the same for the same parts, wherever and whenever it is built. */
export async function assembleStage1Image({ program, init, kernelKey }: Stage1Inputs): Promise<Uint8Array> {
  const { vmlinux, modules } = await loadKernel(kernelKey);
  const initramfs = writeInitramfs(await readFile(init), modules);
  const version = await packageVersion();
  const notice = await readNotice();
  return writeStage1Image({ version, program: await readFile(program), vmlinux, initramfs, modules, notice });
}

function readNotice(): Promise<Uint8Array> {
  return readFile(join(rootDir, 'NOTICE'));
}

async function packageVersion(): Promise<string> {
  const parsed: unknown = JSON.parse(await readFile(join(rootDir, 'package.json'), 'utf8'));
  if (typeof parsed === 'object' && parsed !== null && 'version' in parsed) return String(parsed.version);
  throw new TypeError('package.json has no version');
}
