import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const rootDir = dirname(dirname(fileURLToPath(import.meta.url)));
export const buildDir = join(rootDir, 'build');

/** The stable part of the build folder: what `bin/rkt`, the tests and packagers may rely on. */
export const artefacts = {
  rktBundle: join(buildDir, 'rkt.cjs'),
  rktMount: join(buildDir, 'bin', 'rkt-mount'),
  stage1Kvm: join(buildDir, 'stage1-images', 'stage1-kvm.aci'),
} as const;
