import { closeSync } from 'node:fs';
import { shared } from '../os/lock.ts';
import { podsDirectory } from '../pod/directory.ts';
import { lookUpPod } from '../pod/listing.ts';
import { callForApp } from './app-call.ts';
import { clearApp, hasLeftovers, placeApp } from './app-files.ts';
import type { AppRequest } from './app-request.ts';
import { placeVolumes, volumesOf } from './app-volumes.ts';
import { checkProfiles } from './apparmor.ts';
import { Stage0Error } from './errors.ts';
import { type Attention, type Host, preparationLock } from './host.ts';
import { ImageSession } from './image-session.ts';
import { checkMutable, checkReady, type Mutation, mutateRunning } from './mutation.ts';
import { hasEnded, until } from './patience.ts';
import { checkPlatform } from './platform.ts';
import type { PodApp } from './pod-request.ts';
import { openSecrets } from './pod-secrets.ts';
import { fetchApps } from './preparation.ts';
import { tellAddition } from './registration.ts';
import { checkKinds, checkSources, requestedVolumes } from './volume-files.ts';
import { readyNamedVolumes } from './volumes.ts';

export interface AddRequest {
  /** A UUID or the beginning of one, or the pod's name. */
  readonly uuid: string;
  /** Its image is in the store. */
  readonly app: AppRequest;
}

/** What a supervisor that ends may need to end. */
const END_MILLISECONDS = 5000;
const NO_ENVIRONMENT = { inherited: [], file: [], set: [] } as const;

/**
 * Brings an app into a mutable pod that runs; it does not start it. The pod's manifest names it only when it is there as a whole,
 * so that a command that is cut short can be repeated. Throws Stage0Error `not-running`, `bad-request`, `refused`, and what
 * looking for the image throws.
 */
export async function addApp(host: Host, { uuid, app }: AddRequest, attention: Attention): Promise<void> {
  const found = lookUpPod(podsDirectory(host.dataDirectory), uuid);
  checkMutable(found);
  checkReady(found);
  checkSources(requestedVolumes({ kind: 'apps', apps: [app], environment: NO_ENVIRONMENT }));
  // What it takes from the store is in no pod's plan at first.
  using _ = await shared(preparationLock(host), attention.signal);
  await using session = new ImageSession(host, attention);
  const [added] = await fetchApps(
    session,
    { kind: 'apps', apps: [app], environment: NO_ENVIRONMENT },
    'never',
  );
  if (added === undefined) throw new Error('no app of one image');
  checkPlatform(added.image.manifest);
  checkProfiles([added]);
  if (added.app.app?.exec.length === 0)
    throw new Stage0Error('bad-request', `app ${added.app.name}: no command to run (exec is empty)`);
  using mutation = await mutateRunning(found, attention.signal);
  await bring(host, mutation, session, added);
}

async function bring(host: Host, mutation: Mutation, { store }: ImageSession, added: PodApp): Promise<void> {
  const { name } = added.app;
  const { manifest } = mutation;
  const complete = { ...manifest, apps: [...manifest.apps, added.app] };
  if (manifest.apps.some((app) => app.name === name))
    throw new Stage0Error('bad-request', `app ${JSON.stringify(name)} is in the pod already`);
  const volumes = volumesOf(mutation, added);
  checkKinds(mutation.stage1, volumes);
  const secrets = openSecrets(volumes.volumes, process.env);
  if (hasLeftovers(mutation, name)) await callForApp(host, mutation, 'rm', name);
  try {
    await placeApp(mutation, store, added);
    placeVolumes(mutation, volumes);
    await readyNamedVolumes(host, volumes, undefined);
    await callForApp(host, mutation, 'add', name, secrets);
    await tellAddition({ uuid: mutation.pod.uuid, path: mutation.path }, complete);
  } catch (error) {
    await withdraw(host, mutation, name);
    throw error;
  } finally {
    if (secrets.fd !== undefined) closeSync(secrets.fd);
  }
  mutation.manifest = complete;
}

/** What cannot be undone now is undone by the next command for an app of that name, or goes with the pod: the reason is the news. */
async function withdraw(host: Host, mutation: Mutation, app: string): Promise<void> {
  try {
    const isReleased = await takeOut(host, mutation, app);
    clearApp(mutation, { app, isReleased });
  } catch {}
}

/** Whether the supervisor has done it. With a pod that ends all its mounts go: then it is enough to wait for that. */
async function takeOut(host: Host, mutation: Mutation, app: string): Promise<boolean> {
  try {
    await callForApp(host, mutation, 'rm', app);
    return true;
  } catch {
    await until(mutation.pod, { milliseconds: END_MILLISECONDS }, hasEnded, 'exit');
    return false;
  }
}
