import { rmSync } from 'node:fs';
import { isBuilt } from '../../tools/built.ts';
import { SHARED_TEMPLATES, TEMPLATES_EVERYWHERE } from './templates.ts';

/** The functional tests run what is built: they would tell nothing about the sources if that were older. */
export default async function setup(): Promise<void> {
  if (!(await isBuilt())) throw new Error('build/ is missing or older than the sources: run "npm run build"');
  // They are of one build, and of no use to another.
  if (TEMPLATES_EVERYWHERE) rmSync(SHARED_TEMPLATES, { recursive: true, force: true });
}
