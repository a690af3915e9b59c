import { isBuilt } from '../../tools/built.ts';

/** The functional tests run what is built: they would tell nothing about the sources if that were older. */
export default async function setup(): Promise<void> {
  if (!(await isBuilt())) throw new Error('build/ is missing or older than the sources: run "npm run build"');
}
