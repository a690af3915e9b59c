import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Entrypoint } from '../../../src/abi/stage1.ts';
import { createPod, type Pod } from '../../../src/pod/pod.ts';

/** A pod with a supervisor, which is this process, and a stage1 whose one entrypoint is a script of one of these. */
export function runningPod(directory: string, entrypoint: Entrypoint, script: string | undefined): Pod {
  const pod = createPod(directory);
  pod.move('run');
  const annotations =
    script === undefined ? [] : [{ name: `coreos.com/rkt/stage1/${entrypoint}`, value: `/${entrypoint}` }];
  const manifest = { acKind: 'ImageManifest', acVersion: '0.8.11', name: 'example.com/stage1', annotations };
  const rootfs = join(pod.path, 'stage1/rootfs');
  mkdirSync(join(rootfs, 'rkt'), { recursive: true });
  writeFileSync(join(pod.path, 'stage1/manifest'), JSON.stringify(manifest));
  if (script !== undefined) {
    const program = join(rootfs, entrypoint);
    mkdirSync(dirname(program), { recursive: true });
    writeFileSync(program, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }
  return pod;
}

export function markReady(pod: Pod): void {
  symlinkSync('ready', join(pod.path, 'stage1/rootfs/rkt/supervisor-status'));
}
