import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { SPARES } from '../../src/abi/spares.ts';
import { TEMPLATES } from '../../src/abi/templates.ts';
import { eventually } from './polling.ts';
import type { ScopeProcess } from './process-scope.ts';
import type { RktHome } from './rkt.ts';
import { configureTemplates, noneIsMade, ownTemplates } from './templates.ts';

/** What `run --debug` says of a pod that took one. */
export const TAKES = 'takes a spare machine';

/** Templates of this home alone, and of each a spare for pods whose roots are disks. */
export function ownSpares(home: RktHome): void {
  ownTemplates(home, { scope: 'host', spares: 1 });
  home.configure('vm', { rootfs: 'block' });
}

/** Gives the key of a template that is there, for which no spare is made before a pod leaves one. */
export async function builtAlone(home: RktHome, ...flags: readonly string[]): Promise<string> {
  configureTemplates(home, { scope: 'host' });
  const key = await home.output(['template', 'build', '--layers=1', ...flags]);
  configureTemplates(home, { scope: 'host', spares: 1 });
  return key.trim();
}

/** The names of the places of a template's spares. */
export function placesOf({ dir }: Pick<RktHome, 'dir'>, key: string): string[] {
  const directory = join(dir, TEMPLATES, 'host', SPARES, key);
  return existsSync(directory) ? readdirSync(directory).sort() : [];
}

/** Those who make or keep a spare, and who keep one that was taken. */
export function keepers({ scope }: Pick<RktHome, 'scope'>): ScopeProcess[] {
  const all = scope.processes().filter(({ argv: [name] }) => name === 'spare');
  // What one of them does beside itself is a child of its, of the same name.
  return all.filter(({ parent }) => all.every(({ pid }) => pid !== parent));
}

/** The machine of a keeper. */
export function machineOf({ scope }: Pick<RktHome, 'scope'>, keeper: number): ScopeProcess | undefined {
  return scope.processes().find(({ parent }) => parent === keeper);
}

interface ListedTemplate {
  readonly key: string;
  readonly spares: number;
}

export async function templatesOf(home: RktHome): Promise<readonly ListedTemplate[]> {
  return JSON.parse(await home.output(['template', 'list', '--format=json'])) ?? [];
}

/** How many wait, of all templates. */
export async function waiting(home: RktHome): Promise<number> {
  return (await templatesOf(home)).reduce((sum, { spares }) => sum + spares, 0);
}

/** Gives its keeper; the pod that it was left by has started. */
export async function oneWaits(home: RktHome): Promise<ScopeProcess> {
  await eventually('a spare waits', async () => (await waiting(home)) === 1);
  return await eventually('it is the only one', () => {
    const [keeper, another] = keepers(home);
    return another === undefined && keeper;
  });
}

/** With their templates: nobody is there any more, and nothing of them. */
export async function endSpares(home: RktHome): Promise<void> {
  await noneIsMade(home);
  const keys = (await templatesOf(home)).map(({ key }) => key);
  if (keys.length > 0) await home.output(['template', 'rm', ...keys]);
  await eventually('no spare is left', () => keepers(home).length === 0);
  for (const key of keys) await eventually('no place is left', () => placesOf(home, key).length === 0);
}
