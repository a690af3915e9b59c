/**
 * Paths inside a pod's directory, relative to it, as rkt laid them (docs/pod-directory.md). stage0, rkt-mount and every stage1
 * start in that directory.
 */
export const POD = {
  /** Pod manifest, mode 0640. */
  manifest: 'pod',
  /** Its modification time is when the pod was made. */
  created: 'pod-created',
  /** What the pod was called with `--pod-name`, `NAME\n`. */
  name: 'name',
  /** What the pod calls itself, `HOSTNAME\n`: as long as its machine is up, for the pods that share its networks. */
  hostname: 'hostname',
  /** What `--dns` and `--hosts-entry` ask for, written before the stage1 is started. */
  resolvConf: 'stage1/rootfs/etc/rkt-resolv.conf',
  hosts: 'stage1/rootfs/etc/rkt-hosts',
  /** Ports of the host that lead to the pod (`published-ports.ts`), written under `locks/ports` of the data directory before it runs. */
  ports: 'ports.json',
  /** Held while the manifest of a running pod is changed. */
  mutationLock: 'pod.lck',
  /** Pid of the supervisor; modification time is when the pod started. */
  pid: 'pid',
  /** Instead of `pid`: a process whose only child is the pod's. Third-party stage1s write it. */
  ppid: 'ppid',
  /** Cgroup directories made for the pod, one absolute path a line, written before they are made; gone when they have gone. */
  cgroups: 'cgroups',
  /** The uid and gid that the pod's QEMU runs under, `UID\n`; written under `locks/vm-ids` of the data directory. */
  vmId: 'vm-id',
  /** The users of the pod's own (`private-users.ts`), as in rkt; written under `locks/private-users` of the data directory. */
  privateUsers: 'private-users-prepared',
  /** Control socket of the supervisor. */
  control: 'ctl',
  /** What the pod's networks have made outside of it, a file for each (`src/net/attachment-record.ts`). */
  networks: 'net',
  /** Locked while the pod's plugins run, by each of them as well. */
  networkLock: 'net/lock',
  /** Which networks the pod is on (`net-info.ts`): there from the last ADD to the first DEL. */
  netInfo: 'net-info.json',
  /** By what the metadata service knows the pod (`metadata.ts`): for root alone; there as long as it may be registered. */
  metadata: 'metadata.json',
  stage1: 'stage1',
  stage1Manifest: 'stage1/manifest',
  stage1Rootfs: 'stage1/rootfs',
  /** The image id of the stage1, `sha512-...\n`. */
  stage1Image: 'stage1TreeStoreID',
  /** What rkt-mount does before it executes the stage1 (`mount-plan.ts`). */
  mountPlan: 'mounts.json',
  /** The pod's volumes, and where its apps have them (`volume-plan.ts`); absent where there are none. */
  volumes: 'volumes.json',
  /** Directories of empty volumes, by their keys, as in rkt. */
  emptyVolumes: 'sharedVolumes',
  /** Disks of empty volumes of a size, by their keys: made when the pod starts. */
  limitedVolumes: 'limitedVolumes',
  /** What machine the pod has, once its guest is up, and how each app is started, as JSON (`docs/commands/inspect.md`). */
  machine: 'machine.json',
  appFacts: 'app-facts',
  /** Exists while the pod stands still. */
  paused: 'paused',
  /** When the pod's start came to what (`timeline.ts`). */
  timeline: 'timeline',
  /** Reports of what could not be applied, one line each. */
  warnings: 'warnings',
  status: 'stage1/rootfs/rkt/status',
  /** What each app does at the moment (`app-state.ts`). */
  appState: 'app-state',
  supervisorStatus: 'stage1/rootfs/rkt/supervisor-status',
  /**
   * The pod's exit code, `N\n`. Empty from the start, and never another file: who waits for the pod's end holds it open, and
   * reads it when the pod is gone already. It stays empty when the supervisor was killed.
   */
  exitCode: 'stage1/rootfs/rkt/exit-code',
  /** What the supervisor of a pod of `--detach` has said. */
  supervisorLog: 'supervisor.log',
  appsinfo: 'appsinfo',
  overlay: 'overlay',
  /** Copies of images on their way into a running pod's share, and out of it. */
  staging: 'staging',
  /** What each app has written, a directory for each (`log.ts`). */
  logs: 'logs',
} as const;

/** The target of `supervisorStatus`, a symbolic link, once every app has been started. */
export const READY = 'ready';

/** Directory of the stage1's root that holds the apps' roots: in a VM, the root of the share. */
export const STAGE2 = 'opt/stage2';

/** Directory of locks, in the data directory: `DATA/pods/PHASE/UUID` is a pod's. */
export const LOCKS = 'locks';
export const LOCKS_OF_POD = `../../../${LOCKS}`;

/** The lock that pods share while they are attached to networks. */
export const NETWORKS_LOCK = 'networks';

/** The lock of who looks whether ports of the host are free, and takes them. */
export const PORTS_LOCK = 'ports';

export function appRootfs(app: string): string {
  return `${POD.stage1Rootfs}/${STAGE2}/${app}/rootfs`;
}

/** Of a volume of kind `empty`, by its key. */
export function emptyVolume(key: string): string {
  return `${POD.emptyVolumes}/${key}`;
}

/** Of a volume of kind `empty` with a size, by its key. */
export function limitedVolume(key: string): string {
  return `${POD.limitedVolumes}/${key}`;
}

/** Directory of volumes that outlive pods, in the data directory. */
export const NAMED_VOLUMES = 'volumes';

/** Where in that directory the files of one are: behind a directory that is closed to all but root, as pods may leave set-user-id programs. */
export const NAMED_VOLUME = { closed: 'private', data: 'private/data' } as const;

/** Of a volume that outlives pods, by its name. */
export function namedVolume(name: string): string {
  return `../../../${NAMED_VOLUMES}/${name}/${NAMED_VOLUME.data}`;
}

export function appStatus(app: string): string {
  return `${POD.status}/${app}`;
}

export function appLogs(app: string): string {
  return `${POD.logs}/${app}`;
}

export function appFacts(app: string): string {
  return `${POD.appFacts}/${app}.json`;
}

/** `AppState`, as JSON. */
export function appState(app: string): string {
  return `${POD.appState}/${app}.json`;
}

/** A copy of the app's image manifest. */
export function appImageManifest(app: string): string {
  return `${POD.appsinfo}/${app}/manifest`;
}

/** The id of the app's image, which keeps its layers in the store. */
export function appImageId(app: string): string {
  return `${POD.appsinfo}/${app}/treeStoreID`;
}
