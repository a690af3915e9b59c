import { join } from 'node:path';
import { compileProgram } from '../../tools/compile.ts';
import { buildDir, rootDir } from '../../tools/paths.ts';

/** The directory of a static program, `peer`, that serves and asks over a pod's networks: `network-peer/peer.ts`. */
export async function peerDirectory(): Promise<string> {
  const entry = join(rootDir, 'test/support/network-peer/peer.ts');
  const outDir = join(buildDir, 'test-programs', 'network-peer');
  await compileProgram({ entry, name: 'peer', outDir });
  return outDir;
}
