import { describe, expect, it } from 'vitest';
import { HOUSING, initRoot, PRIVATE_KERNEL, privateRoot } from '../../../stage1-ns/surroundings.ts';

describe('what PID 1 of a pod in namespaces sees', () => {
  const groups = [{ source: '/sys/fs/cgroup/rkt-1', target: '/sys/fs/cgroup/unified' }];

  it('is made of nothing else of the host than is named here', () => {
    const entries = initRoot(groups);
    const sources = entries.flatMap((entry) => ('source' in entry ? [[entry.kind, entry.source]] : []));
    expect(sources).toEqual([
      // Its program, read-only.
      ['bind', 'stage1/rootfs/init'],
      ['share', 'stage1/rootfs/opt/stage2'],
      ['share', '/sys/fs/cgroup/rkt-1'],
    ]);
  });

  it('has every directory before what is in it', () => {
    const targets = initRoot(groups).map(({ target }) => target);
    for (const [index, target] of targets.entries()) {
      const parent = target.includes('/') ? target.slice(0, target.lastIndexOf('/')) : undefined;
      if (parent !== undefined) expect(targets.slice(0, index)).toContain(parent);
    }
  });

  it('is the same with users of its own, but for what the kernel shows, which it mounts itself', () => {
    const shown = PRIVATE_KERNEL.map(({ target }) => target);
    const others = (root: ReturnType<typeof initRoot>) =>
      root.filter(({ target }) => !shown.includes(target));
    const own = privateRoot(groups, 70_000);
    const devices = own.flatMap((entry) => (entry.kind === 'device' ? [[entry.uid, entry.gid]] : []));
    expect(new Set(devices.flat())).toEqual(new Set([70_000]));
    expect(others(own).map(({ kind, target }) => [kind, target])).toEqual(
      others(initRoot(groups)).map(({ kind, target }) => [kind, target]),
    );
    expect(own.filter(({ target }) => shown.includes(target))).toEqual(
      shown.map((target) => ({ kind: 'directory', target })),
    );
  });

  it('has no place for control groups where it has none', () => {
    expect(initRoot([]).filter(({ target }) => target.startsWith('sys'))).toEqual([]);
  });

  it('has the roots of the apps where the plan says', () => {
    expect(HOUSING.root('web')).toEqual({ kind: 'directory', path: '/pod/web/rootfs' });
    expect(initRoot([]).map(({ target }) => target)).toContain('pod');
  });
});
