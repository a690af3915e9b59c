import { describe, expect, it } from 'vitest';
import {
  QEMU_NAMESPACES,
  qemuRoot,
  qemuSteps,
  SHARE_NAMESPACES,
  shareRoot,
  shareSteps,
} from '../../../stage1-kvm/confinement.ts';
import { memoryFilter } from '../../../stage1-kvm/memory-filter.ts';

const doing = (steps: readonly { do: string }[]) => steps.map((step) => step.do);

describe('qemuSteps', () => {
  const steps = qemuSteps({
    id: 70001,
    cgroupFiles: ['/cg/a/cgroup.procs', '/cg/b/cgroup.procs'],
    hostNetwork: undefined,
    hasTemplate: false,
    enterRoot: () => {},
  });

  it('gives up in an order that lets each step still do its work', () => {
    expect(doing(steps)).toEqual([
      'write',
      'write',
      'session',
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

  it('sees no other process', () => {
    expect([...QEMU_NAMESPACES].sort()).toEqual(['ipc', 'mount', 'pid']);
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

describe("qemuSteps where its memory is a template's", () => {
  it('keeps QEMU from opening it for writing, when nothing can be gained any more', () => {
    const steps = qemuSteps({
      id: 70001,
      cgroupFiles: [],
      hostNetwork: undefined,
      hasTemplate: true,
      enterRoot: () => {},
    });
    expect(doing(steps).slice(-3)).toEqual(['no-new-privileges', 'seccomp', 'parent-death-signal']);
    expect(steps).toContainEqual({ do: 'seccomp', program: memoryFilter() });
  });
});

describe("qemuSteps in the host's network", () => {
  const steps = (hardLimit: number) =>
    qemuSteps({
      id: 70001,
      cgroupFiles: [],
      hostNetwork: { namespace: 9, hardLimit },
      hasTemplate: false,
      enterRoot: () => {},
    });

  it('enters it with the power to, and filters sockets when nothing can be gained any more', () => {
    expect(doing(steps(1_000_000))).toEqual([
      'session',
      'enter-namespace',
      'limit',
      'call',
      'limit',
      'bounding-set',
      'groups',
      'gid',
      'uid',
      'no-new-privileges',
      'seccomp',
      'parent-death-signal',
    ]);
    expect(steps(1_000_000)[1]).toEqual({ do: 'enter-namespace', fd: 9, kinds: ['network'] });
  });

  it.each([
    [1_000_000, 16384],
    [4096, 4096],
  ])('with a hard limit of %d files, has %d', (hardLimit, files) => {
    expect(steps(hardLimit)[2]).toEqual({
      do: 'limit',
      resource: 'nofile',
      limit: { soft: files, hard: files },
    });
  });
});

const host = {
  system: [
    { name: 'usr', linkTo: undefined },
    { name: 'lib', linkTo: 'usr/lib' },
  ],
  linkerCache: true,
};

describe('qemuRoot', () => {
  const surroundings = {
    kernelDirectory: 'stage1/rootfs/vm',
    gid: 70001,
    kvm: false,
    resolvConf: undefined,
  };

  it('holds programs, the kernel and a few devices', () => {
    const entries = qemuRoot(host, surroundings);
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
    expect(qemuRoot(host, { ...surroundings, kvm: true }).at(-1)).toEqual({
      kind: 'device',
      target: 'dev/kvm',
      major: 10,
      minor: 232,
      mode: 0o660,
      gid: 70001,
    });
  });

  it('has name servers where it resolves for its guest', () => {
    const resolvConf = 'nameserver 127.0.0.53\n';
    expect(qemuRoot(host, { ...surroundings, resolvConf })).toContainEqual({
      kind: 'file',
      target: 'etc/resolv.conf',
      text: resolvConf,
    });
  });
});

describe('shareRoot', () => {
  it('has procfs without the settings of the machine, and the share alone is writable', () => {
    const entries = shareRoot(host, 'stage1/rootfs/opt/stage2');
    expect(entries.filter(({ kind }) => kind === 'share')).toEqual([
      { kind: 'share', target: 'share', source: 'stage1/rootfs/opt/stage2' },
    ]);
    expect(entries.filter(({ kind }) => kind === 'proc')).toEqual([
      { kind: 'proc', target: 'processes', of: 'processes' },
    ]);
    expect(entries).toContainEqual({ kind: 'symlink', target: 'proc/self', to: '../processes/self' });
    const sources = entries.flatMap((entry) => (entry.kind === 'bind' ? [entry.source] : []));
    expect(sources).toEqual(['/usr', '/etc/ld.so.cache']);
  });

  it('answers what each virtiofsd reads as it starts', () => {
    const files = shareRoot(host, 'share').filter(({ kind }) => kind === 'file');
    expect(files.map(({ target }) => target)).toEqual(['proc/sys/fs/file-max', 'proc/sys/fs/nr_open']);
  });
});

describe('shareSteps', () => {
  const share = { userNamespace: 7, cgroupFiles: [], hardLimit: 1_000_000, enterRoot: () => {} };

  it('begins in namespaces of its own', () => {
    expect([...SHARE_NAMESPACES].sort()).toEqual(['ipc', 'mount', 'network', 'pid']);
  });

  it('mounts before it has no power to, and asks for the death signal after the change of namespace, which clears it', () => {
    expect(doing(shareSteps(share))).toEqual([
      'session',
      'limit',
      'limit',
      'call',
      'enter-namespace',
      'umask',
      'no-new-privileges',
      'parent-death-signal',
    ]);
  });

  it('goes without a user namespace where there is none', () => {
    expect(doing(shareSteps({ ...share, userNamespace: undefined }))).not.toContain('enter-namespace');
  });

  it.each([
    [1_000_000, 65536],
    [4096, 4096],
  ])('with a hard limit of %d files, has %d', (hardLimit, files) => {
    const [, limit] = shareSteps({ ...share, hardLimit });
    expect(limit).toEqual({ do: 'limit', resource: 'nofile', limit: { soft: files, hard: files } });
  });
});
