import { formatPodManifest, readPodManifest } from '../appc/index.ts';
import { podsDirectory } from '../pod/directory.ts';
import { lookUpPod } from '../pod/listing.ts';
import { readManifestText } from '../pod/record.ts';
import { Stage0Error } from './errors.ts';
import type { Host } from './host.ts';

/** A pod's manifest as JSON, with `indent` as JSON.stringify takes it. Throws PodError, Stage0Error `no-pod`. */
export function catManifest(host: Host, uuid: string, indent: string | undefined): string {
  const pod = lookUpPod(podsDirectory(host.dataDirectory), uuid);
  const text = readManifestText(pod);
  if (text === undefined)
    throw new Stage0Error(
      'no-pod',
      `pod ${JSON.stringify(pod.uuid)} has no manifest: its preparation was aborted`,
    );
  return formatPodManifest(readPodManifest(text), indent);
}
