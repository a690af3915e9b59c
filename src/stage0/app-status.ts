import { podsDirectory } from '../pod/directory.ts';
import { lookUpPod } from '../pod/listing.ts';
import { type AppRecord, readPod } from '../pod/record.ts';
import type { AppChange } from './app-change.ts';
import { Stage0Error } from './errors.ts';
import type { Host } from './host.ts';

/** What is known of one app of a pod. Throws PodError when there is no such pod, Stage0Error. */
export function appStatus(host: Host, { uuid, app }: AppChange): AppRecord {
  const pod = lookUpPod(podsDirectory(host.dataDirectory), uuid);
  const record = readPod(pod);
  if (record === undefined) throw new Stage0Error('no-pod', `pod ${JSON.stringify(pod.uuid)} was removed`);
  const found = record.apps.find(({ name }) => name === app);
  if (found === undefined)
    throw new Stage0Error(
      'bad-request',
      `no app ${JSON.stringify(app)} in pod ${JSON.stringify(record.uuid)}`,
    );
  return found;
}
