import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { POD, READY } from '../../../src/abi/pod-directory.ts';
import { ensurePodsDirectory } from '../../../src/pod/directory.ts';
import { createPod, type Pod } from '../../../src/pod/pod.ts';
import { type EnterRequest, enter } from '../../../src/stage0/enter.ts';
import { openHost } from '../../../src/stage0/host.ts';

let data = '';
let pods = '';
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'rkt-enter-'));
  pods = ensurePodsDirectory(data);
});
afterEach(() => rmSync(data, { recursive: true }));

const image = { id: `sha512-${'0'.repeat(64)}` };

/** A pod that somebody holds, with apps, and with whatever else a supervisor has written by now. */
function runningPod(apps: readonly string[], files: Readonly<Record<string, string>>): Pod {
  const pod = createPod(pods);
  const runtimeApps = apps.map((name) => ({ name, image }));
  const manifest = { acKind: 'PodManifest', acVersion: '0.8.11', apps: runtimeApps };
  for (const [name, text] of Object.entries({ ...files, [POD.manifest]: JSON.stringify(manifest) })) {
    mkdirSync(dirname(join(pod.path, name)), { recursive: true });
    writeFileSync(join(pod.path, name), text);
  }
  pod.move('run');
  return pod;
}

function readyPod(apps: readonly string[]): Pod {
  const pod = runningPod(apps, { [POD.pid]: '4711' });
  const link = join(pod.path, POD.supervisorStatus);
  mkdirSync(dirname(link), { recursive: true });
  symlinkSync(READY, link);
  return pod;
}

function entering({ uuid }: Pod, app?: string, caller: EnterRequest['caller'] = 'enter'): () => never {
  const host = openHost({
    ...{ dataDirectory: data, systemConfig: data, localConfig: data },
    ...{ insecure: new Set<never>(), debug: false },
  });
  return () => enter(host, { caller, uuid: uuid.slice(0, 8), app, command: ['/bin/true'] }, {});
}

test('a pod is entered neither before nor after it runs', () => {
  using prepared = createPod(pods);
  expect(entering(prepared)).toThrow(`pod "${prepared.uuid}" isn't currently running`);
  const ended = readyPod(['web']);
  ended.lock.release();
  expect(entering(ended)).toThrow(`pod "${ended.uuid}" isn't currently running`);
});

test.each([
  ['its stage1 has not begun', {}],
  ['its apps have not been started', { [POD.pid]: '4711' }],
])('a pod is not entered while %s', (_, files) => {
  using pod = runningPod(['web'], files);
  expect(entering(pod)).toThrow(`pod "${pod.uuid}" is still starting`);
});

test('the app has to be one of the pod’s', () => {
  using pod = readyPod(['web', 'log']);
  expect(entering(pod)).toThrow(
    'pod contains multiple apps: web, log: specify app using "rkt enter --app= ..."',
  );
  expect(entering(pod, undefined, 'app exec')).toThrow('specify app using "rkt app exec --app= ..."');
  expect(entering(pod, 'we')).toThrow('no app "we" in the pod: it has web, log');
});

test('a stage1 without the entrypoint is told of', () => {
  using pod = readyPod(['web', 'log']);
  expect(entering(pod, 'log')).toThrow("the pod's stage1 has no enter entrypoint");
});
