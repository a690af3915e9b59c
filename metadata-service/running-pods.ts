/** Which pods are registered is written in their directories: a service that starts anew knows them all. */
import { parseRegistration } from '../src/abi/metadata.ts';
import { appImageManifest, POD } from '../src/abi/pod-directory.ts';
import { parsePodUUID, readPodManifest } from '../src/appc/index.ts';
import { readText, readTextIfPresent } from '../src/native/contents.ts';
import { readdir } from '../src/native/directories.ts';
import { unless } from '../src/native/errors.ts';
import { File, open_, tryLock } from '../src/native/files.ts';
import type { Pods } from './pods.ts';

const DIRECTORY = open_.readOnly | open_.directory | open_.noFollow;
const GONE = ['ENOENT', 'ENOTDIR', 'ELOOP'];

/** Where pods are that run, or are about to: in the order in which they move on, so that none is missed. */
const PHASES = ['prepare', 'prepared', 'run'] as const;

/** Registers the pods of a data directory that run, and tells of those that cannot be. */
export function recallPods(pods: Pods, dataDirectory: string, complain: (line: string) => void): void {
  for (const phase of PHASES) {
    const directory = `${dataDirectory}/pods/${phase}`;
    for (const name of unless(GONE, () => readdir(directory)) ?? []) {
      try {
        recallPod(pods, `${directory}/${name}`, name);
      } catch (error) {
        complain(`pod ${name}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  }
}

/** A pod that runs or starts is locked: whoever can lock it finds one that waits or has ended. */
function recallPod(pods: Pods, path: string, name: string): void {
  using directory = unless(GONE, () => File.open(path, DIRECTORY));
  if (directory === undefined || tryLock(directory.fd, 'shared')) return;
  const registration = readTextIfPresent(POD.metadata, undefined, directory.fd);
  if (registration === undefined) return;
  const uuid = parsePodUUID(name);
  const text = readText(POD.manifest, undefined, directory.fd);
  const { apps } = readPodManifest(text);
  pods.register(uuid, parseRegistration(registration).token, text);
  for (const app of apps)
    pods.registerImage(uuid, app.name, readText(appImageManifest(app.name), undefined, directory.fd));
}
