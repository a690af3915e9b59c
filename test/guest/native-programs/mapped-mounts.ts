import { readTextIfPresent, writeFile } from '../../../src/native/contents.ts';
import { argv } from '../../../src/native/engine.ts';
import { withFileIds } from '../../../src/native/file-ids.ts';
import { File, open_ } from '../../../src/native/files.ts';
import { attachMount, mount } from '../../../src/native/mounts.ts';
import { chmod, chown, mkdirAll, unlink } from '../../../src/native/paths.ts';
import { chdir } from '../../../src/native/processes.ts';
import { lstat } from '../../../src/native/stat.ts';
import { cloneMapped } from '../../../src/supervisor/idmapped-mount.ts';
import { executeMountPlan } from '../../../src/supervisor/mount-execution.ts';
import { openPrivateUsers } from '../../../src/supervisor/user-namespace.ts';
import { report } from './report.ts';

const IDS = { first: 1879113728, count: 65536 };
const scratch = argv()[1] ?? '/nonexistent';
const owner = (path: string) => {
  const { kind, uid, gid } = lstat(path);
  return [kind, uid, gid];
};

/** Two layers in `layers`, a pod's directory beside them. */
function prepare(): void {
  for (const directory of [
    'layers/one',
    'layers/two',
    'pod/upper',
    'pod/work',
    'pod/copy',
    'plain/volume',
    'volume',
  ])
    mkdirAll(`${scratch}/${directory}`);
  for (const [path, id] of [
    ['layers/one/root', 0],
    ['layers/one/gone', 0],
    ['layers/two/user', 1000],
    ['layers/two/beyond', 70_000],
    ['pod/copy/file', 7],
    ['plain/volume/file', 8],
  ] as const) {
    writeFile(`${scratch}/${path}`, 'text');
    chmod(`${scratch}/${path}`, 0o644);
    chown(`${scratch}/${path}`, id, id);
  }
}

function overlay() {
  chdir(`${scratch}/pod`);
  executeMountPlan({
    version: 1,
    keep: [scratch],
    mounts: [
      {
        kind: 'overlay',
        target: 'root',
        lowerBase: `${scratch}/layers`,
        lower: ['two', 'one'],
        upper: 'upper',
        work: 'work',
        ids: IDS,
      },
      { kind: 'bind', source: 'copy', target: 'copy', readOnly: false, ids: IDS },
    ],
  });
  const seen = ['root', 'user', 'beyond'].map((name) => owner(`root/${name}`));
  withFileIds(IDS.first + 5, IDS.first + 6, () => writeFile('root/made', 'new'));
  withFileIds(IDS.first, IDS.first, () => {
    unlink('root/gone');
    writeFile('root/user', 'changed');
  });
  return {
    seen: [...seen, owner('copy/file')],
    disk: ['upper/made', 'upper/user', 'upper/gone', 'work/work'].map(owner),
    layers: [owner(`${scratch}/layers/two/user`), readTextIfPresent(`${scratch}/layers/one/gone`)],
  };
}

function volume() {
  using users = openPrivateUsers(IDS);
  using source = File.open(`${scratch}/plain/volume`, open_.path);
  using detached = new File(cloneMapped({ fd: source.fd, name: 'plain/volume' }, users.fd, 'recursive'));
  attachMount(detached.fd, `${scratch}/volume`);
  return owner(`${scratch}/volume/file`);
}

/** procfs shows no other ids. */
function refused(): string {
  mount({ source: 'proc', target: `${scratch}/plain/volume`, type: 'proc' });
  using users = openPrivateUsers(IDS);
  using source = File.open(`${scratch}/plain`, open_.path);
  const words = (depth: 'alone' | 'recursive') => {
    try {
      using _ = new File(cloneMapped({ fd: source.fd, name: '/srv/plain' }, users.fd, depth));
      return 'taken';
    } catch (error) {
      return error instanceof Error ? error.message.replace(scratch, '') : String(error);
    }
  };
  return [words('alone'), words('recursive')].join('; ');
}

prepare();
report({ ...overlay(), volume: volume(), refused: refused() });
