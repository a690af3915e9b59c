import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Of a running pod's group on the host: the texts of those of its files, in whichever directory of its they are. */
export function groupFiles(dataDirectory: string, uuid: string, ...files: readonly string[]): string[] {
  const groups = podGroups(dataDirectory, uuid);
  return files.flatMap((file) =>
    groups
      .filter((path) => readdirSync(path).includes(file))
      .map((path) => readFileSync(join(path, file), 'utf8').trim()),
  );
}

function podGroups(dataDirectory: string, uuid: string): string[] {
  const recorded = readFileSync(join(dataDirectory, 'pods/run', uuid, 'cgroups'), 'utf8');
  return recorded.split('\n').filter((path) => path.endsWith(`rkt-${uuid}`));
}
