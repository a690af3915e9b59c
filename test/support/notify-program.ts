import { join } from 'node:path';
import { compileProgram } from '../../tools/compile.ts';
import { buildDir, rootDir } from '../../tools/paths.ts';

/** The path of a static program, `say LINE...`, that sends one datagram to NOTIFY_SOCKET; it fails where nobody takes it at once. */
export function notifyProgram(): Promise<string> {
  const entry = join(rootDir, 'test/support/notify/say.ts');
  return compileProgram({ entry, name: 'say', outDir: join(buildDir, 'test-programs') });
}
