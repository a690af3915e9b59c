import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TEMPLATES } from '../../src/abi/templates.ts';
import { buildDir } from '../../tools/paths.ts';
import { eventually } from './polling.ts';
import type { RktHome } from './rkt.ts';

/** `RKT_TEST_TEMPLATES=on`: pods of all tests start from saved machines, where there is one for their kind. */
const { RKT_TEST_TEMPLATES } = process.env;
export const TEMPLATES_EVERYWHERE = RKT_TEST_TEMPLATES === 'on';

export const SHARED_TEMPLATES = join(buildDir, 'test-templates');

export interface TemplateSettings {
  readonly scope: 'host' | 'tenant' | 'off';
  readonly tenant?: string;
  readonly spares?: number;
  readonly spareSeconds?: number;
}

export function configureTemplates(home: Pick<RktHome, 'localConfig'>, settings: TemplateSettings): void {
  mkdirSync(join(home.localConfig, 'templates.d'), { recursive: true });
  const document = { rktKind: 'template', rktVersion: 'v1', ...settings };
  writeFileSync(join(home.localConfig, 'templates.d/templates.json'), JSON.stringify(document));
}

/** Of this home alone, whatever all have. */
export function ownTemplates(home: Pick<RktHome, 'localConfig' | 'dir'>, settings: TemplateSettings): void {
  rmSync(join(home.dir, TEMPLATES), { force: true });
  configureTemplates(home, settings);
}

/** Of all homes: one of its own would be made for each. */
export function shareTemplates(home: Pick<RktHome, 'localConfig' | 'dir'>): void {
  configureTemplates(home, { scope: 'host' });
  mkdirSync(SHARED_TEMPLATES, { recursive: true });
  mkdirSync(home.dir);
  symlinkSync(SHARED_TEMPLATES, join(home.dir, TEMPLATES));
}

/** One that is made in the background outlives the pod which wanted it. */
export async function noneIsMade({ scope }: Pick<RktHome, 'scope'>): Promise<void> {
  await eventually(
    'no machine is being saved',
    () => !scope.processes().some(({ argv }) => argv[0] === 'template'),
    240,
  );
}
