import { randomBytes } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { FieldReader } from '../abi/json.ts';
import { formatRegistration, METADATA_PORT, REGISTRATION_PATH, TOKEN_BYTES } from '../abi/metadata.ts';
import { appImageManifest, POD } from '../abi/pod-directory.ts';
import { formatPodManifest, type PodManifest, type PodUUID, readPodManifest } from '../appc/index.ts';
import { replaceFile } from '../os/durable.ts';
import { Stage0Error } from './errors.ts';
import { callMetadataService } from './metadata-client.ts';

/** A pod, wherever its directory is. */
export interface PodPlace {
  readonly uuid: PodUUID;
  readonly path: string;
}

/** The token is the pod's only: those who may look into pods could ask in its name. */
const OWNER_ONLY = 0o600;

/**
 * Has the metadata service know a pod that is filled: what its directory says of that comes first, so that whoever removes the pod
 * takes the registration back, whatever happens meanwhile. Throws Stage0Error `no-metadata-service`; the pod is not registered then.
 */
export async function registerPod(pod: PodPlace): Promise<void> {
  const registration = { token: randomBytes(TOKEN_BYTES).toString('hex'), port: null };
  write(pod, formatRegistration(registration));
  try {
    const port = await putPod(pod, registration.token, manifestOf(pod));
    write(pod, formatRegistration({ ...registration, port }));
  } catch (error) {
    await unregisterPod(pod);
    throw error;
  }
}

/**
 * Takes it back, so far as there is anybody to tell: a service that does not run, or does not answer, has no memory either, or loses
 * it with its end.
 */
export async function unregisterPod(pod: PodPlace): Promise<void> {
  try {
    await callMetadataService({ method: 'DELETE', path: `/${REGISTRATION_PATH}/${pod.uuid}` });
  } catch (error) {
    if (!(error instanceof Stage0Error)) throw error;
  }
  rmSync(join(pod.path, POD.metadata), { force: true });
}

/** The pod, then the images of its apps: what was there of others goes. Gives the port that apps reach the service at. */
export async function putPod(pod: PodPlace, token: string, manifest: PodManifest): Promise<number> {
  const path = `/${REGISTRATION_PATH}/${pod.uuid}`;
  const body = formatPodManifest(manifest);
  const answer = await callMetadataService({ method: 'PUT', path: `${path}?token=${token}`, body });
  for (const { name } of manifest.apps) {
    const image = readFileSync(join(pod.path, appImageManifest(name)), 'utf8');
    await callMetadataService({ method: 'PUT', path: `${path}/${name}`, body: image });
  }
  return portIn(answer);
}

/** rkt's own service answers nothing. */
function portIn(answer: string): number {
  if (answer === '') return METADATA_PORT;
  try {
    return new FieldReader(JSON.parse(answer), 'the answer').integer('port', 1, 65535);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Stage0Error('no-metadata-service', `metadata service: ${reason}`, { cause });
  }
}

function manifestOf({ path }: PodPlace): PodManifest {
  return readPodManifest(readFileSync(join(path, POD.manifest), 'utf8'));
}

function write({ path }: PodPlace, text: string): void {
  replaceFile(join(path, POD.metadata), text, OWNER_ONLY);
}
