import { join } from 'node:path';
import { compileProgram } from '../../tools/compile.ts';
import { buildDir, rootDir } from '../../tools/paths.ts';

/** The path of a static program, `handles`, that opens files by their handles: `handles/handles.ts`. */
export function handlesProgram(): Promise<string> {
  const entry = join(rootDir, 'test/support/handles/handles.ts');
  return compileProgram({ entry, name: 'handles', outDir: join(buildDir, 'test-programs') });
}
