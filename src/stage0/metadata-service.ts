import { METADATA_PORT } from '../abi/metadata.ts';
import { formatEnvironment, replaceProcess } from '../os/exec.ts';
import type { Host } from './host.ts';
import { metadataServicePath } from './installation.ts';
import type { Environment } from './supervisor.ts';

/** Sockets of a service manager begin here (sd_listen_fds(3)). */
const FIRST_FD = 3;
const MOST_SOCKETS = 64;

/** Becomes the metadata service of the host, by a program that stays small. Throws Stage0Error `not-installed`. */
export function becomeMetadataService(
  { dataDirectory, debug }: Host,
  port: number | undefined,
  environment: Environment,
): never {
  replaceProcess({
    path: metadataServicePath(),
    argv: [
      'metadata-service',
      `--listen-port=${port ?? METADATA_PORT}`,
      `--dir=${dataDirectory}`,
      ...(debug ? ['--debug'] : []),
    ],
    environment: formatEnvironment(environment),
    fds: givenSockets(environment),
  });
}

/** Of this process: it stays the same. */
function givenSockets({ LISTEN_PID, LISTEN_FDS }: Environment): number[] {
  const count = Number(LISTEN_PID) === process.pid ? Number(LISTEN_FDS) : 0;
  return Array.from({ length: Math.min(count || 0, MOST_SOCKETS) }, (_, index) => FIRST_FD + index);
}
