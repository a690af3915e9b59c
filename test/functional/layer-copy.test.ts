import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { copyLayers } from '../../src/image/layer-copy.ts';
import { openDirectory } from '../../src/os/descriptor.ts';
import { tryMakeNode } from '../../src/os/directory-entries.ts';
import { setXattr } from '../../src/os/file-attributes.ts';
import { useScratchTree } from '../support/scratch-tree.ts';

const { at, put } = useScratchTree();

// Whiteouts are devices and trusted attributes: only root can make them.
test('whiteouts and opaque directories hide what is below, and are gone themselves', async () => {
  put('low/gone/x', 'low');
  put('low/opaque/x', 'low');
  put('low/kept', 'low');
  put('top/opaque/y', 'top');
  {
    using top = openDirectory(at('top'));
    tryMakeNode(top, 'gone', 0o020000, 0, 0);
    tryMakeNode(top, 'never-was', 0o020000, 0, 0);
    using opaque = openDirectory(at('top/opaque'));
    setXattr(opaque, 'trusted.overlay.opaque', Buffer.from('y'));
  }
  await copyLayers([at('low'), at('top')], at('out'));
  expect([
    existsSync(at('out/gone')),
    existsSync(at('out/never-was')),
    existsSync(at('out/opaque/x')),
  ]).toEqual([false, false, false]);
  expect([existsSync(at('out/opaque/y')), existsSync(at('out/kept'))]).toEqual([true, true]);
});
