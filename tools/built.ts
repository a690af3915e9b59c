import { digest, digestFiles } from './digest.ts';
import { kernelChoice } from './kernel-choice.ts';
import { artefacts, rootDir } from './paths.ts';
import { isKeyed } from './step.ts';

// Everything the artefacts are made of; the Node version because V8's code cache belongs to it.
const sources = [
  'package.json',
  'package-lock.json',
  'NOTICE',
  'bin',
  'src',
  'cni-plugins',
  'guest-init',
  'metadata-service',
  'stage1-kvm',
  'stage1-fly',
  'stage1-ns',
  'tools',
] as const;

export const builtName = 'everything';

export async function sourcesKey(): Promise<string> {
  return digest(process.version, await kernelChoice(), await digestFiles(rootDir, sources));
}

/** Whether the build folder holds what these sources make. */
export async function isBuilt(): Promise<boolean> {
  return isKeyed(builtName, await sourcesKey(), Object.values(artefacts));
}
