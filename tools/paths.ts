import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const rootDir = dirname(dirname(fileURLToPath(import.meta.url)));
export const buildDir = join(rootDir, 'build');

/** Packages that are bundled by themselves, for the commands that need one. */
export const COMMAND_PARTS = ['undici', 'openpgp', 'execa'] as const;

/** Beside the command's own bundle. */
export function commandPart(name: string): string {
  return join(buildDir, `rkt.${name}.cjs`);
}

/** The stable part of the build folder: what `bin/rkt`, the tests and packagers may rely on. */
export const artefacts = {
  rktBundle: join(buildDir, 'rkt.cjs'),
  rktMount: join(buildDir, 'bin', 'rkt-mount'),
  metadataService: join(buildDir, 'bin', 'metadata-service'),
  cniPlugins: join(buildDir, 'bin', 'cni-plugins'),
  /** A link to the program by each plugin's name: what CNI_PATH may have, where the command looks for them. */
  cniDirectory: join(buildDir, 'plugins', 'net'),
  stage1Kvm: join(buildDir, 'stage1-images', 'stage1-kvm.aci'),
  stage1Ns: join(buildDir, 'stage1-images', 'stage1-ns.aci'),
  stage1Fly: join(buildDir, 'stage1-images', 'stage1-fly.aci'),
} as const;
