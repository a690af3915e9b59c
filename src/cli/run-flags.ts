import { IPC_MODES } from '../abi/stage1.ts';
import { boolean, choice, Flag, optionals, value, values } from './flag.ts';
import { ISOLATOR_FLAGS, POD_ISOLATOR_FLAGS, STRICT_FLAG } from './isolator-flags.ts';
import { LIFE_FLAGS } from './life-flags.ts';
import { NAME_FLAGS } from './name-flags.ts';
import { PORT_FLAG } from './port-flags.ts';
import { pullFlags, signatureFlag } from './pull-flags.ts';
import { ROOTS_FLAGS } from './roots-flags.ts';
import { STREAM_FLAGS } from './stream-flags.ts';
import { MOUNT_FLAG, VOLUME_FLAG } from './volume-flags.ts';

/** As in rkt: what is in the store is good enough to run. */
export const PULL_POLICY = 'new';

const PULL_FLAGS = pullFlags(PULL_POLICY);

export const POD_OPERANDS = 'IMAGE [APP FLAGS] [-- ARGUMENT... [---]] [IMAGE ...]';

/** Flags of a pod's content. */
const CONTENT_FLAGS: readonly Flag[] = [
  new Flag('stage1-path', value('FILE'), 'image of the stage1, a local file'),
  new Flag('stage1-url', value('URL'), 'image of the stage1, to be fetched'),
  new Flag('stage1-name', value('NAME'), 'image of the stage1, by its name (NAME[:VERSION])'),
  new Flag('stage1-hash', value('ID'), 'image of the stage1, by its id in the store'),
  new Flag('stage1-from-dir', value('FILE'), 'image of the stage1, from the stage1-images directory'),
  ...PULL_FLAGS,
  new Flag('inherit-env', boolean, 'give the apps the environment of this command'),
  new Flag('set-env', values('NAME=VALUE'), 'an environment variable for all apps'),
  new Flag('set-env-file', values('FILE'), 'environment variables for all apps, a NAME=VALUE a line'),
  new Flag('no-overlay', boolean, 'copy the root file systems instead of mounting overlays'),
  new Flag('private-users', boolean, "users of the pod's own: its root is nobody on the host"),
  new Flag('pod-manifest', value('FILE'), 'the pod, instead of images and their flags'),
  PORT_FLAG,
  VOLUME_FLAG,
  ...POD_ISOLATOR_FLAGS,
  new Flag('log-size', value('BYTES'), 'what is kept of each output of an app (default: 16Mi)'),
  new Flag('pod-name', value('POD-NAME'), 'name of the pod, to be used wherever its UUID is'),
];

/** Flags of how a pod is started. */
export const START_FLAGS: readonly Flag[] = [
  new Flag(
    'net',
    optionals('NETWORKS', 'default'),
    'NAME[:KEY=VALUE;...],... in the order of the interfaces, or none, host, all (default: default)',
  ),
  new Flag('interactive', boolean, 'give the terminal to the app, of which there must be one'),
  new Flag('detach', boolean, 'print the UUID once the pod is ready, and leave it running'),
  new Flag('rm', boolean, 'remove the pod when it has ended'),
  new Flag('hostname', value('NAME'), 'host name of the pod (default: its name, or rkt-UUID)'),
  ...NAME_FLAGS,
  new Flag(
    'ipc',
    choice('MODE', IPC_MODES),
    "System V IPC and message queues: auto, private, or parent: the host's (default: auto)",
  ),
  new Flag('mds-register', boolean, 'have the metadata service know the pod'),
  STRICT_FLAG,
  ...ROOTS_FLAGS,
];

export const PREPARE_FLAGS: readonly Flag[] = [
  ...CONTENT_FLAGS,
  new Flag('quiet', boolean, 'print nothing but the UUID, and what went wrong'),
];

/** Flags of a pod, and of each of its images: one table for the parser and for the help. */
export const POD_FLAGS: readonly Flag[] = [
  ...CONTENT_FLAGS,
  ...START_FLAGS,
  new Flag('uuid-file-save', value('FILE'), "write the pod's UUID to a file, before anything else"),
];

/** Of the image before them; before the first image, of the pod. */
export const MARK_FLAGS: readonly Flag[] = [
  new Flag('annotation', values('NAME=VALUE'), 'an annotation of appc, kept in the pod manifest'),
  new Flag('user-annotation', values('KEY=VALUE'), 'an annotation of your own, shown by status'),
  new Flag('user-label', values('KEY=VALUE'), 'a label, shown by status and looked for by list'),
];

/** Those that are the pod's before the first image. */
export const BOTH_FLAGS: readonly Flag[] = [...MARK_FLAGS, MOUNT_FLAG];

export const APP_FLAGS: readonly Flag[] = [
  signatureFlag(),
  new Flag('exec', value('PATH'), "run this instead of the image's command"),
  new Flag('name', value('NAME'), "name of the app (default: the last part of the image's)"),
  new Flag('environment', values('NAME=VALUE'), 'an environment variable for this app'),
  new Flag('user', value('USER'), 'user: a name or number, or a path whose owner is meant'),
  new Flag('group', value('GROUP'), 'group, likewise'),
  new Flag('supplementary-gids', value('GID,...'), 'further groups, as numbers'),
  new Flag('working-dir', value('DIR'), 'working directory'),
  new Flag('umask', value('MASK'), 'file mode mask, octal (default: 022)'),
  new Flag('readonly-rootfs', boolean, 'mount the root file system read-only'),
  ...ISOLATOR_FLAGS,
  ...STREAM_FLAGS,
  ...LIFE_FLAGS,
  ...BOTH_FLAGS,
].map((flag) => flag.helpGroup('Flags of the image before them:'));

/** What a pod manifest says itself; its images are in the store, since it names them by their ids. */
export const EXCLUDED_BY_MANIFEST: readonly string[] = [
  'inherit-env',
  'set-env',
  'set-env-file',
  PORT_FLAG.name(),
  ...POD_ISOLATOR_FLAGS.map((flag) => flag.name()),
  VOLUME_FLAG.name(),
  ...BOTH_FLAGS.map((flag) => flag.name()),
  ...PULL_FLAGS.map((flag) => flag.name()),
];
