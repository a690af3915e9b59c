import { expect, test } from 'vitest';
import { parseMountPlan } from '../../../src/abi/mount-plan.ts';
import {
  appOverlay,
  copiedPlan,
  type OverlayRoot,
  overlayPlan,
  overlayStep,
  stage1Overlay,
} from '../../../src/stage0/mount-plan.ts';

test('a pod is an overlay of the stage1 with its reports on the host, and one for each app in it', () => {
  const step = (root: OverlayRoot) => overlayStep(root, '/data/cas/layer');
  const plan = overlayPlan(['/data'], step(stage1Overlay(['s/rootfs'])), [
    step(appOverlay('web', 'sha256-1', ['low/rootfs', 'top/rootfs'])),
    step(appOverlay('empty', 'sha256-2', [])),
  ]);
  expect(plan).toEqual({
    version: 1,
    keep: ['/data'],
    mounts: [
      {
        kind: 'overlay',
        target: 'stage1/rootfs',
        lowerBase: '/data/cas/layer',
        lower: ['s/rootfs'],
        upper: 'overlay/stage1/upper',
        work: 'overlay/stage1/work',
        volatile: true,
      },
      { kind: 'bind', source: 'stage1/rootfs/rkt', target: 'stage1/rootfs/rkt', readOnly: false },
      {
        kind: 'overlay',
        target: 'stage1/rootfs/opt/stage2/web/rootfs',
        lowerBase: '/data/cas/layer',
        lower: ['top/rootfs', 'low/rootfs'],
        upper: 'overlay/sha256-1/upper/web',
        work: 'overlay/sha256-1/work/web',
      },
      {
        kind: 'bind',
        source: 'overlay/sha256-2/upper/empty',
        target: 'stage1/rootfs/opt/stage2/empty/rootfs',
        readOnly: false,
      },
    ],
  });
  expect(parseMountPlan(JSON.parse(JSON.stringify(plan)))).toEqual(plan);
});

test('a pod of copies mounts nothing', () => {
  expect(copiedPlan(['/data'])).toEqual({ version: 1, keep: ['/data'], mounts: [] });
});
