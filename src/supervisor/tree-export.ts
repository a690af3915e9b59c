/** What `rkt-mount --export` and `--import` do: files of a pod or of the host as a tar on standard output, and from one on standard input. */
import { ARCHIVE_FORMAT } from '../abi/archive-format.ts';
import { parseCopyPlan } from '../abi/copy-plan.ts';
import { EXIT } from '../abi/exit-code.ts';
import { type ExportRoot, parseExportPlan } from '../abi/export-plan.ts';
import { FieldReader } from '../abi/json.ts';
import { type MountStep, parseMountPlan } from '../abi/mount-plan.ts';
import { POD } from '../abi/pod-directory.ts';
import { readText } from '../native/contents.ts';
import { exit, utf8Encode } from '../native/engine.ts';
import { hasCode } from '../native/errors.ts';
import { close, open, open_, openBeneath, writeAll } from '../native/files.ts';
import { mount, ms, unshare } from '../native/mounts.ts';
import { chdir, chroot } from '../native/processes.ts';
import { signals } from '../native/signals.ts';
import { TreeError } from '../native/tree-archive.ts';
import { receiveTree, sendTree } from '../native/tree-copy.ts';
import { readOnlyOptions } from './mount-options.ts';

const STDERR = 2;
const BROKEN_PIPE = 128 + signals.SIGPIPE;
const DIRECTORY = open_.path | open_.directory;
/** Where an overlay is mounted, in a namespace that nobody else sees: nothing below it is needed any more. */
const MOUNT_POINT = POD.stage1;

/** In the pod's directory. What the archive does not hold is told on stderr, what keeps it from being whole as the last line. */
export function runExport(plan: string): never {
  run(() => exportTree(plan));
}

/** Makes files of the host, as a copy plan says. What keeps it from making them all is told on stderr. */
export function runImport(text: string): never {
  run(() => {
    const plan = parseCopyPlan(new FieldReader(JSON.parse(text), 'copy plan'));
    if (plan.direction === 'in') receiveTree(ARCHIVE_FORMAT, plan);
  });
}

function run(work: () => void): never {
  try {
    work();
  } catch (error) {
    // Whoever has read no further knows why; a socket that is one's standard output raises no signal.
    if (hasCode(error, 'EPIPE', 'ECONNRESET')) exit(BROKEN_PIPE);
    say(error instanceof Error ? error.message : String(error));
    exit(error instanceof TreeError && error.code === 'redirected' ? EXIT.redirected : EXIT.failure);
  }
  exit(EXIT.ok);
}

/** @throws AbiError, SystemError, TreeError */
function exportTree(text: string): void {
  const plan = parseExportPlan(JSON.parse(text));
  enterRoot(plan.root);
  const rules = { layer: plan.root.kind === 'layer', reservesNames: plan.purpose === 'oci' };
  sendTree(ARCHIVE_FORMAT, plan, rules, say);
}

function say(line: string): void {
  writeAll(STDERR, utf8Encode(`${line}\n`));
}

/** From here on paths begin at that root, and lead nowhere else. */
function enterRoot(root: ExportRoot): void {
  const directory = openRoot(root);
  chdir(directory);
  chroot('.');
  close(directory);
}

function openRoot(root: ExportRoot): number {
  switch (root.kind) {
    case 'app':
      return openAppRoot(root.target);
    case 'layer':
      return openInPod(root.upper);
    case 'host':
      return open(root.directory, DIRECTORY);
    default:
      return root satisfies never;
  }
}

function openAppRoot(target: string): number {
  const plan = parseMountPlan(JSON.parse(readText(POD.mountPlan)));
  const step = plan.mounts.find((candidate) => candidate.target === target);
  switch (step?.kind) {
    case undefined:
      return openInPod(target);
    case 'bind':
      return openInPod(step.source);
    case 'overlay':
      return openOverlay(step);
    default:
      return step satisfies never;
  }
}

/** A guest may have had the directories on the way in its hands: none may be a link. */
function openInPod(path: string): number {
  const pod = open('.', DIRECTORY);
  try {
    return openBeneath(pod, path, DIRECTORY);
  } finally {
    close(pod);
  }
}

/**
 * As the pod had it, but with its upper layer below nothing as one more to read from: there is no writing to it, not even
 * overlayfs's own, and no work directory that a pod could claim.
 */
function openOverlay(step: Extract<MountStep, { kind: 'overlay' }>): number {
  unshare('mount');
  mount({ target: '/', flags: ms.recursive | ms.slave });
  const pod = open('.', DIRECTORY);
  const here = `/proc/self/fd/${pod}`;
  chdir(open(step.lowerBase, DIRECTORY));
  const data = readOnlyOptions(step, here);
  const flags = ms.readOnly | ms.noSuid | ms.noDev;
  mount({ source: 'overlay', target: `${here}/${MOUNT_POINT}`, type: 'overlay', flags, data });
  return open(`${here}/${MOUNT_POINT}`, DIRECTORY);
}
