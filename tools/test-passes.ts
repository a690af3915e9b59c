/** What `npm test` and the soak run, as runs of vitest. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { rootDir } from './paths.ts';

export interface TestPass {
  readonly name: string;
  readonly env: Readonly<Record<string, string>>;
  /** Of vitest. */
  readonly args: readonly string[];
}

const FUNCTIONAL = 'test/functional';
/** Files about what has no machine: other stage1s, plugins by themselves, images, the command itself, and those whose machines are built or chosen by the test. */
export const WITHOUT_MACHINES = [
  ...[
    'lab-.*',
    'fly.*',
    'namespaces',
    'private-users',
    'many-namespaces',
    'escape',
    'stage1-images',
    'own-kernel',
  ],
  ...['cni-.*', 'network-crash', 'build', 'package', 'completion', 'man-pages', 'config', 'trust'],
  ...['fetch-.*', 'registry-.*', 'layer-.*', 'cosign-signatures', 'signed-images', 'tampered-images'],
  ...['discovery', 'discovered-keys', 'refused-dependencies'],
  'image-(?:commands|comparison|dependencies|export|extraction|fuzz|import-rkt|interruption|store)',
];
const CRASHES = 'crash-campaign';

/** How every pod starts from a saved machine and has its roots on disks; see test/README.md. */
const SAVED_MACHINES = {
  RKT_TEST_ROOTFS: 'block',
  RKT_TEST_TEMPLATES: 'on',
  RKT_TEST_FLAVOUR: 'stage1-kvm',
};
const SOAK = { RKT_TEST_SOAK: '1' };

export const USUAL: readonly TestPass[] = [{ name: 'tests', env: {}, args: [] }];

export function soakPasses(): readonly TestPass[] {
  const files = machineTests(readdirSync(join(rootDir, FUNCTIONAL))).filter(
    (name) => name !== `${CRASHES}.test.ts`,
  );
  return [
    { name: 'all tests, campaigns at full size', env: SOAK, args: [] },
    pass('pods from saved machines, with roots on disks', SAVED_MACHINES, files),
    pass('crashes of such pods', { ...SOAK, ...SAVED_MACHINES }, [`${CRASHES}.test.ts`]),
  ];
}

/** Those files of functional tests whose pods are in machines. */
export function machineTests(names: readonly string[]): string[] {
  const others = new RegExp(`^(?:${WITHOUT_MACHINES.join('|')})\\.test\\.ts$`);
  return names.filter((name) => name.endsWith('.test.ts') && !others.test(name));
}

function pass(name: string, env: Readonly<Record<string, string>>, files: readonly string[]): TestPass {
  return { name, env, args: ['--project=functional', ...files.map((file) => `${FUNCTIONAL}/${file}`)] };
}
