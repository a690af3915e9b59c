import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './source-tree.ts';

/**
 * The rules of the house: what each folder may import beside itself. A folder is its path; `node:` stands for Node's own
 * modules, other words for packages. `index` after a folder means: only through its index.ts.
 */
const PURE = ['src/appc', 'src/oci', 'src/abi'];
const STAGE1 = ['src/appc', 'src/abi', 'src/net', 'src/native', 'src/supervisor'];
const RECORDS = [...PURE, 'src/os', 'node:'];
export const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  'src/appc': PURE,
  'src/oci': PURE,
  'src/abi': PURE,
  'src/net': ['src/appc', 'src/abi', 'ip-address'],
  'src/os': ['node:', 'koffi', 'execa'],
  'src/native': [],
  'src/supervisor': ['src/appc', 'src/abi', 'src/net', 'src/native'],
  'src/pod': RECORDS,
  'src/config': RECORDS,
  'src/store': RECORDS,
  'src/trust': [...RECORDS, 'openpgp'],
  // Storage of the host's own, which knows no pods: who uses it is for stage0 to say.
  'src/volume': RECORDS,
  'src/image': [...RECORDS, 'src/pod', 'src/config', 'src/store', 'src/trust', 'tar', 'undici'],
  'src/stage0': [
    ...[
      'src/image',
      'src/store',
      'src/trust',
      'src/volume',
      'src/pod',
      'src/config',
      'src/net',
      'src/appc',
      'src/abi',
      'src/os',
    ],
    'node:',
  ],
  'src/cli': [
    ...['src/stage0', 'src/image/index', 'src/store/index', 'src/trust/index', 'src/config/index', 'src/abi'],
    ...['src/os/clock.ts', 'src/native/capability-names.ts'],
    ...['node:', 'commander'],
  ],
  'src/main.ts': ['src/cli', 'src/stage0', 'node:'],
  'stage1-kvm/image': ['tools', 'node:', 'src/abi', 'src/appc'],
  'stage1-kvm': STAGE1,
  'stage1-ns': STAGE1,
  'stage1-fly': STAGE1,
  'cni-plugins': [...STAGE1, 'ip-address'],
  'metadata-service': ['src/appc', 'src/abi', 'src/native', 'src/supervisor'],
  'guest-init': ['src/abi', 'src/native'],
};

const tops = new Set(Object.keys(MAY_IMPORT).map((folder) => folder.split('/')[0] ?? folder));
/** The folders at the top of the tree that programs are made of: those that have a rule, as far as they are there. */
export const PROGRAM_FOLDERS = [...tops].filter((folder) => existsSync(join(ROOT, folder)));
