import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { templateFailure } from '../../src/abi/templates.ts';
import { isBuilt } from '../../tools/built.ts';
import { SHARED_TEMPLATES, TEMPLATES_EVERYWHERE } from './templates.ts';

/** The functional tests run what is built: they would tell nothing about the sources if that were older. */
export default async function setup(): Promise<() => void> {
  if (!(await isBuilt())) throw new Error('build/ is missing or older than the sources: run "npm run build"');
  // They are of one build, and of no use to another.
  if (TEMPLATES_EVERYWHERE) rmSync(SHARED_TEMPLATES, { recursive: true, force: true });
  return () => {
    if (TEMPLATES_EVERYWHERE) checkShared();
  };
}

/** Where a machine could not be saved all pods of its kind have started from their kernels: these tests were about something else then. */
function checkShared(): void {
  const names = existsSync(SHARED_TEMPLATES) ? readdirSync(join(SHARED_TEMPLATES, 'host')) : [];
  const failed = names.filter((name) => name.endsWith(templateFailure('')));
  if (failed.length > 0) throw new Error(`machines that could not be saved: ${failed.join(' ')}`);
  if (!names.some((name) => !name.includes('.'))) throw new Error('no machine was saved');
}
