import { join } from 'node:path';
import { appFacts, appLogs, appRootfs, POD } from '../abi/pod-directory.ts';
import { labelValue, readImageManifest } from '../appc/index.ts';
import { podPath, podsDirectory } from '../pod/directory.ts';
import { lookUpPod } from '../pod/listing.ts';
import { type Observation, observe } from '../pod/observation.ts';
import { type PodRecord, readPod } from '../pod/record.ts';
import { Stage0Error } from './errors.ts';
import type { Host } from './host.ts';

/** A document as JSON.parse gives it. */
export type Document = unknown;

export interface InspectedPod {
  readonly record: PodRecord;
  /** The pod's directory, where it was seen. */
  readonly path: string;
  readonly exitCode: number | undefined;
  readonly stage1: Stage1Facts;
  /** As it was written. */
  readonly manifest: Document | undefined;
  readonly apps: readonly InspectedApp[];
  /** What the supervisor has written of the machine. */
  readonly machine: Document | undefined;
  /** What rkt-mount mounts. */
  readonly mounts: Document | undefined;
  /** Of a pod that has some: what they are, and where apps have them. */
  readonly volumes: Document | undefined;
  readonly cgroups: readonly string[];
  readonly warnings: readonly string[];
}

export interface Stage1Facts {
  readonly imageId: string | undefined;
  readonly name: string | undefined;
  readonly version: string | undefined;
}

export interface InspectedApp {
  readonly record: PodRecord['apps'][number];
  readonly root: string;
  readonly logs: string | undefined;
  /** How it is started, as the supervisor has written. */
  readonly facts: Document | undefined;
}

/** All that is known of a pod. Throws PodError when there is no such pod, or its files may not be read. */
export function inspect(host: Host, uuid: string): InspectedPod {
  const reference = lookUpPod(podsDirectory(host.dataDirectory), uuid);
  using pod = observe(reference);
  const record = readPod(reference);
  if (pod === undefined || record === undefined)
    throw new Stage0Error('no-pod', `pod ${JSON.stringify(reference.uuid)} was removed`);
  const path = podPath(pod.reference);
  return {
    record,
    path,
    exitCode: exitCodeOf(pod.text(POD.exitCode)),
    stage1: stage1Of(pod),
    manifest: documentOf(pod, POD.manifest),
    apps: record.apps.map((app) => ({
      record: app,
      root: join(path, appRootfs(app.name)),
      logs: pod.names(appLogs(app.name)).length === 0 ? undefined : join(path, appLogs(app.name)),
      facts: documentOf(pod, appFacts(app.name)),
    })),
    machine: documentOf(pod, POD.machine),
    mounts: documentOf(pod, POD.mountPlan),
    volumes: documentOf(pod, POD.volumes),
    cgroups: linesOf(pod, POD.cgroups),
    warnings: linesOf(pod, POD.warnings),
  };
}

function stage1Of(pod: Observation): Stage1Facts {
  const text = pod.text(POD.stage1Manifest);
  const manifest = text?.trim() ? readImageManifest(text) : undefined;
  return {
    imageId: pod.text(POD.stage1Image)?.trim() || undefined,
    name: manifest?.name,
    version: manifest && labelValue(manifest.labels, 'version'),
  };
}

function exitCodeOf(text = ''): number | undefined {
  return /^\d{1,3}\n$/.test(text) ? Number(text) : undefined;
}

/** A power cut can leave a file empty, or cut. */
function documentOf(pod: Observation, name: string): Document | undefined {
  try {
    return JSON.parse(pod.text(name) ?? '');
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function linesOf(pod: Observation, name: string): string[] {
  return (pod.text(name) ?? '').split('\n').filter((line) => line !== '');
}
