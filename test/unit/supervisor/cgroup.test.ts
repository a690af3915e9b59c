import { describe, expect, it } from 'vitest';
import type { CgroupLayout, CgroupPlace } from '../../../src/native/cgroup-layout.ts';
import { moveFiles, type PodCgroup } from '../../../src/supervisor/cgroup.ts';

const v1 = (controller: string): CgroupPlace => ({
  ...{ controller, version: 1, directory: `/sys/fs/cgroup/${controller}/of-caller` },
});
const unified = (directory: string): CgroupPlace => ({ controller: 'unified', version: 2, directory });
const HYBRID: CgroupLayout = {
  mode: 'hybrid',
  places: [v1('memory'), v1('pids'), v1('name=systemd'), unified('/sys/fs/cgroup/unified/of-caller')],
};
const V2: CgroupLayout = { mode: 'v2', places: [unified('/sys/fs/cgroup/of-caller')] };
const group = (...paths: readonly string[]): PodCgroup => ({
  kind: 'group',
  group: { directories: paths.map((path) => ({ controller: 'memory', path })) },
});

describe('where a process goes that comes to the pod from elsewhere', () => {
  it.each<[string, PodCgroup, CgroupLayout, string[]]>([
    ['v2', group('/pod'), V2, ['/pod']],
    [
      'hybrid',
      group('/memory/pod', '/pids/pod'),
      HYBRID,
      [
        '/memory/pod',
        '/pids/pod',
        '/sys/fs/cgroup/name=systemd/of-caller',
        '/sys/fs/cgroup/unified/of-caller',
      ],
    ],
    [
      'hybrid, without a group',
      { kind: 'none', reason: 'of a test' },
      HYBRID,
      ['/sys/fs/cgroup/name=systemd/of-caller', '/sys/fs/cgroup/unified/of-caller'],
    ],
    ['v2, without a group', { kind: 'none', reason: 'of a test' }, V2, []],
    ['none', { kind: 'none', reason: 'of a test' }, { mode: 'none', places: [] }, []],
  ])('is the pod’s group, and what the supervisor is watched by: %s', (_, cgroup, layout, directories) => {
    expect(moveFiles(cgroup, layout)).toEqual(directories.map((path) => `${path}/cgroup.procs`));
  });
});
