import { parseMountPlan } from '../abi/mount-plan.ts';
import { appRootfs, POD } from '../abi/pod-directory.ts';
import { readPodManifest } from '../appc/index.ts';
import type { PodReference } from '../pod/directory.ts';
import { type HeldPod, hold } from '../pod/hold.ts';
import type { Observation } from '../pod/observation.ts';
import type { State } from '../pod/state.ts';
import { chooseApp } from './app-choice.ts';
import { Stage0Error } from './errors.ts';

/** Holds a pod that has exited: nobody removes it meanwhile. `refuse` says why another is not taken. Throws that, and Stage0Error `no-pod`. */
export async function holdExited(found: PodReference, refuse: (state: State) => Error): Promise<HeldPod> {
  const holding = await hold(found);
  switch (holding.kind) {
    case 'held':
      if (holding.pod.state === 'exited' || holding.pod.state === 'exited garbage') return holding.pod;
      holding.pod.lock.release();
      throw refuse(holding.pod.state);
    case 'busy':
      throw refuse(holding.state);
    case 'gone':
      throw new Stage0Error('no-pod', `pod ${JSON.stringify(found.uuid)} was removed`);
    default:
      return holding satisfies never;
  }
}

/** The app that a command is about. Throws Stage0Error `bad-request`, `bad-tree`. */
export function appOfExited(
  command: string,
  files: Observation | undefined,
  wanted: string | undefined,
): string {
  const { apps } = readPodManifest(textOf(files, POD.manifest));
  return chooseApp(
    command,
    apps.map(({ name }) => name),
    wanted,
  );
}

/** What an app has changed, where its root was an overlay. Relative to the pod's directory. */
export function upperOf(files: Observation | undefined, app: string): string | undefined {
  const { mounts } = parseMountPlan(JSON.parse(textOf(files, POD.mountPlan)));
  const step = mounts.find(({ target }) => target === appRootfs(app));
  return step?.kind === 'overlay' ? step.upper : undefined;
}

/** A pod that was cut short by a power cut may have empty files. Throws Stage0Error `bad-tree`. */
export function textOf(files: Observation | undefined, name: string): string {
  const text = files?.text(name);
  if (text?.trim()) return text;
  throw new Stage0Error('bad-tree', `the pod is not whole: it has no ${name}`);
}
