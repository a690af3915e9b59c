/** What a request says of name servers and hosts, in the files of the stage1's root where rkt's stage1s look for it. */
import {
  closeSync,
  constants,
  fchmodSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { parseMountPlan } from '../abi/mount-plan.ts';
import { DEFAULT_NAME_MODES, type NameModes } from '../abi/name-modes.ts';
import { POD } from '../abi/pod-directory.ts';
import { formatResolvConf } from '../net/cni/resolv-conf.ts';
import type { Dns } from '../net/cni/result.ts';
import { type HostsEntry, hostsFile } from '../net/hosts-file.ts';
import { type PodReference, podPath } from '../pod/directory.ts';
import { readName } from '../pod/name.ts';
import { Stage0Error } from './errors.ts';

/** `host`: the host's own file; `none`: the image's, whatever networks say; `stage0`: as it says. */
export interface NamesRequest {
  readonly resolver:
    | { readonly kind: 'default' | 'host' | 'none' }
    | { readonly kind: 'stage0'; readonly dns: Dns };
  readonly hosts:
    | { readonly kind: 'default' | 'host' }
    | { readonly kind: 'stage0'; readonly entries: readonly HostsEntry[] };
}

export function modesOf(request: NamesRequest | undefined): NameModes {
  if (request === undefined) return DEFAULT_NAME_MODES;
  return { resolver: request.resolver.kind, hosts: request.hosts.kind };
}

/** `hostname` is the requested one. Throws Stage0Error `bad-stage1`. */
export function writeNameFiles(
  pod: PodReference,
  names: NamesRequest | undefined,
  hostname: string | undefined,
): void {
  if (names?.resolver.kind === 'stage0')
    write(podPath(pod), POD.resolvConf, formatResolvConf(names.resolver.dns, 'rkt run'));
  if (names?.hosts.kind === 'stage0') {
    const own = hostname ?? readName(pod) ?? `rkt-${pod.uuid}`;
    write(podPath(pod), POD.hosts, hostsFile(own, names.hosts.entries));
  }
}

const ANEW = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;

/** `file` is below the stage1's root, which is not mounted yet: it goes where the overlay will show it. */
function write(pod: string, file: string, content: string): void {
  const path = join(pod, stage1Directory(pod), file.slice(POD.stage1Rootfs.length));
  const directory = dirname(path);
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  // The copy of an image may have a link in the place of either, to somewhere on the host.
  if (!lstatSync(directory).isDirectory())
    throw new Stage0Error('bad-stage1', `${dirname(file)} is no directory`);
  const fd = openSync(path, ANEW, 0o644);
  try {
    writeFileSync(fd, content);
    fchmodSync(fd, 0o644); // whatever the umask is
  } finally {
    closeSync(fd);
  }
}

function stage1Directory(pod: string): string {
  const plan = parseMountPlan(JSON.parse(readFileSync(join(pod, POD.mountPlan), 'utf8')));
  const step = plan.mounts.find(({ target }) => target === POD.stage1Rootfs);
  return step?.kind === 'overlay' ? step.upper : POD.stage1Rootfs;
}
