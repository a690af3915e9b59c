import { CliError } from './error.ts';
import { Flag, value } from './flag.ts';
import { POD_ISOLATOR_FLAGS } from './isolator-flags.ts';
import { NAME_FLAGS } from './name-flags.ts';
import { SANDBOX_PORT_FLAG } from './port-flags.ts';
import { APP_FLAGS, MARK_FLAGS, POD_FLAGS } from './run-flags.ts';
import { MOUNT_FLAG, MOUNTED_VOLUME_FLAG } from './volume-flags.ts';

/** Of the flags of `run` those that say something of a pod without apps. */
const SANDBOX_NAMES: readonly string[] = [
  ...[
    'stage1-path',
    'stage1-url',
    'stage1-name',
    'stage1-hash',
    'stage1-from-dir',
    'no-overlay',
    'private-users',
    'log-size',
    'pod-name',
  ],
  ...['net', 'detach', 'rm', 'hostname', 'ipc', 'mds-register', 'uuid-file-save', 'strict-isolators'],
  ...POD_ISOLATOR_FLAGS.map((flag) => flag.name()),
  ...NAME_FLAGS.map((flag) => flag.name()),
];

export const SANDBOX_FLAGS: readonly Flag[] = [
  ...POD_FLAGS.filter((flag) => SANDBOX_NAMES.includes(flag.name())),
  // Of the pod: not under the heading of those of an image.
  ...MARK_FLAGS.map((flag) => new Flag(flag.name(), flag.kind, flag.description)),
  SANDBOX_PORT_FLAG,
  new Flag('memory', value('BYTES'), "of the pod's machine, for all apps together (default: 512Mi)"),
  new Flag('cpu', value('CORES'), "of the pod's machine (default: all with KVM, one in emulation)"),
];

/** Nothing is fetched, so nothing is verified; and the pod has no volumes that an app could have. */
const NOT_OF_ADD: readonly string[] = ['signature', MOUNT_FLAG.name()];

export const ADD_FLAGS: readonly Flag[] = [
  ...APP_FLAGS.filter((flag) => !NOT_OF_ADD.includes(flag.name())),
  MOUNTED_VOLUME_FLAG.helpGroup('Flags of the image before them:'),
];

/** Names the app, in commands for one app. */
export function appFlag(): Flag {
  return new Flag('app', value('NAME'), 'the app');
}

/** Throws CliError `usage`. */
export function requiredApp(app: string | undefined): string {
  if (app === undefined || app === '') throw new CliError('usage', 'must specify the app by --app=NAME');
  return app;
}
