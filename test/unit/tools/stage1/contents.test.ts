import { describe, expect, it } from 'vitest';
import { stage1Entries } from '../../../../tools/stage1/contents.ts';
import { directory, file } from '../../../../tools/stage1/entry.ts';

const bytes = Buffer.from('x');
const parts = { flavour: 'stage1-ns', version: '1.2.3', program: bytes, notice: bytes };

const OWN = [directory('rootfs/vm'), file('rootfs/vm/vmlinux', bytes)];

function manifestOf([first]: ReturnType<typeof stage1Entries>) {
  return JSON.parse(first?.kind === 'file' ? Buffer.from(first.bytes).toString() : '');
}

describe('stage1 image', () => {
  it('has a manifest with the entrypoints of interface version 6', () => {
    const manifest = manifestOf(stage1Entries(parts, []));
    expect(manifest).toMatchObject({ acKind: 'ImageManifest', name: 'coreos.com/rkt/stage1-ns' });
    expect(manifest.labels).toContainEqual({ name: 'version', value: '1.2.3' });
    expect(manifest.annotations).toEqual([
      { name: 'coreos.com/rkt/stage1/run', value: '/run' },
      { name: 'coreos.com/rkt/stage1/enter', value: '/enter' },
      { name: 'coreos.com/rkt/stage1/gc', value: '/gc' },
      { name: 'coreos.com/rkt/stage1/stop', value: '/stop' },
      { name: 'coreos.com/rkt/stage1/control', value: '/control' },
      { name: 'coreos.com/rkt/stage1/template', value: '/template' },
      { name: 'coreos.com/rkt/stage1/spare', value: '/spare' },
      { name: 'coreos.com/rkt/stage1/rehearsal', value: '/rehearsal' },
      { name: 'coreos.com/rkt/stage1/attach', value: '/attach' },
      { name: 'coreos.com/rkt/stage1/app/add', value: '/app/add' },
      { name: 'coreos.com/rkt/stage1/app/start', value: '/app/start' },
      { name: 'coreos.com/rkt/stage1/app/stop', value: '/app/stop' },
      { name: 'coreos.com/rkt/stage1/app/rm', value: '/app/rm' },
      { name: 'coreos.com/rkt/stage1/changes', value: '/changes' },
      { name: 'coreos.com/rkt/stage1/interface-version', value: '6' },
      { name: 'coreos.com/rkt/stage1/removal', value: 'true' },
      { name: 'coreos.com/rkt/stage1/metadata', value: 'true' },
      { name: 'coreos.com/rkt/stage1/volumes', value: 'true' },
      { name: 'coreos.com/rkt/stage1/records', value: 'true' },
      { name: 'coreos.com/rkt/stage1/private-users', value: 'ranges' },
    ]);
  });

  it('says which kernel it has', () => {
    const { annotations } = manifestOf(stage1Entries({ ...parts, kernel: '6.12.1-x' }, OWN));
    expect(annotations).toContainEqual({ name: 'coreos.com/rkt/stage1/kernel', value: '6.12.1-x' });
  });

  it('has one program for all entrypoints', () => {
    const entries = stage1Entries(parts, OWN);
    expect(entries).toContainEqual({
      kind: 'symlink',
      path: 'rootfs/stop',
      mode: 0o777,
      target: 'stage1-ns',
    });
    expect(entries).toContainEqual({
      kind: 'symlink',
      path: 'rootfs/app/stop',
      mode: 0o777,
      target: '../stage1-ns',
    });
  });

  it('lists the manifest first and every directory before what it holds', () => {
    const paths = stage1Entries(parts, OWN).map(({ path }) => path);
    expect(paths[0]).toBe('manifest');
    expect(paths).toEqual(
      expect.arrayContaining([
        ...['rootfs/NOTICE', 'rootfs/run', 'rootfs/app/add', 'rootfs/vm/vmlinux', 'rootfs/opt/stage2'],
      ]),
    );
    for (const [index, path] of paths.entries()) {
      const parent = path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : undefined;
      if (parent !== undefined) expect(paths.slice(0, index)).toContain(parent);
    }
  });
});
