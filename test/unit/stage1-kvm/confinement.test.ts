import { describe, expect, it } from 'vitest';
import { qemuRoot, qemuSteps, shareSteps } from '../../../stage1-kvm/confinement.ts';

const doing = (steps: readonly { do: string }[]) => steps.map((step) => step.do);

describe('qemuSteps', () => {
  const steps = qemuSteps({
    id: 70001,
    cgroupFiles: ['/cg/a/cgroup.procs', '/cg/b/cgroup.procs'],
    enterRoot: () => {},
  });

  it('gives up in an order that lets each step still do its work', () => {
    expect(doing(steps)).toEqual([
      'write',
      'write',
      'session',
      'unshare',
      'call',
      'limit',
      'bounding-set',
      'groups',
      'gid',
      'uid',
      'no-new-privileges',
      'parent-death-signal',
    ]);
  });

  it('leaves no group, no capability, and an id of the pod', () => {
    expect(steps).toEqual(
      expect.arrayContaining([
        { do: 'bounding-set', capabilities: [] },
        { do: 'groups', gids: [] },
        { do: 'gid', gid: 70001 },
        { do: 'uid', uid: 70001 },
        { do: 'parent-death-signal', signal: 'SIGKILL' },
      ]),
    );
  });
});

describe('qemuRoot', () => {
  const host = {
    system: [
      { name: 'usr', linkTo: undefined },
      { name: 'lib', linkTo: 'usr/lib' },
    ],
    linkerCache: true,
  };

  it('holds programs, the kernel and a few devices', () => {
    const entries = qemuRoot(host, 'stage1/rootfs/vm', 70001, false);
    expect(entries.map(({ target }) => target)).toEqual([
      'usr',
      'lib',
      'etc',
      'etc/ld.so.cache',
      'vm',
      'dev',
      'dev/null',
      'dev/zero',
      'dev/urandom',
    ]);
    expect(entries[1]).toEqual({ kind: 'symlink', target: 'lib', to: 'usr/lib' });
  });

  it('has /dev/kvm, for its group alone, where it is used', () => {
    expect(qemuRoot(host, 'vm', 70001, true).at(-1)).toEqual({
      kind: 'device',
      target: 'dev/kvm',
      major: 10,
      minor: 232,
      mode: 0o660,
      gid: 70001,
    });
  });
});

describe('shareSteps', () => {
  it('asks for the death signal after the change of namespace, which clears it', () => {
    const steps = doing(shareSteps({ userNamespace: 7, cgroupFiles: [], hardLimit: 1_000_000 }));
    expect(steps).toEqual(['session', 'limit', 'limit', 'enter-namespace', 'umask', 'parent-death-signal']);
  });

  it('goes without a user namespace where there is none', () => {
    expect(doing(shareSteps({ userNamespace: undefined, cgroupFiles: [], hardLimit: 10 }))).not.toContain(
      'enter-namespace',
    );
  });

  it.each([
    [1_000_000, 65536],
    [4096, 4096],
  ])('with a hard limit of %d files, has %d', (hardLimit, files) => {
    const [, limit] = shareSteps({ userNamespace: undefined, cgroupFiles: [], hardLimit });
    expect(limit).toEqual({ do: 'limit', resource: 'nofile', limit: { soft: files, hard: files } });
  });
});
