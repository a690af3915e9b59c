/** The stage1 images: which parts each is made of. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ENTRYPOINTS, type Entrypoint } from '../src/abi/stage1.ts';
import { machineEntries } from '../stage1-kvm/image/image.ts';
import { writeInitramfs } from '../stage1-kvm/image/initramfs.ts';
import { kernelRelease } from '../stage1-kvm/image/kernel.ts';
import { digest, digestFiles } from './digest.ts';
import { loadKernel } from './kernel.ts';
import { artefacts, rootDir } from './paths.ts';
import { stage1Entries } from './stage1/contents.ts';
import { directory, type Entry, file } from './stage1/entry.ts';
import { writeTar } from './stage1/tar.ts';
import { keyed, type Outcome, writeWhole } from './step.ts';

/** Paths of the compiled programs, and the key of the kernel in the build folder. */
export interface MachineInputs {
  readonly program: string;
  readonly init: string;
  readonly kernelKey: string;
}
export type NamespaceInputs = Omit<MachineInputs, 'kernelKey'>;

/** What a flavour has beside what all have. */
interface OwnParts {
  readonly entries: readonly Entry[];
  /** The release of its kernel. */
  readonly kernel?: string;
}

interface Recipe {
  readonly flavour: string;
  readonly image: string;
  readonly program: string;
  /** What `own` depends on: files, and what else. */
  readonly files: readonly string[];
  readonly key: string;
  /** Those that the program has, if not all. */
  readonly entrypoints?: readonly Entrypoint[];
  own(): Promise<OwnParts>;
}

/** A machine, with the kernel and the init that it boots. */
export const machineImage = ({ program, init, kernelKey }: MachineInputs): Recipe => ({
  ...{ flavour: 'stage1-kvm', image: artefacts.stage1Kvm, program, files: [init], key: kernelKey },
  own: async () => {
    const { vmlinux, modules } = await loadKernel(kernelKey);
    const initramfs = writeInitramfs(await readFile(init), modules);
    return { entries: machineEntries({ vmlinux, modules, initramfs }), kernel: kernelRelease(vmlinux) };
  },
});

const OF_MACHINES: ReadonlySet<Entrypoint> = new Set(['changes', 'template', 'spare', 'rehearsal']);

/** Namespaces: the same init, and a directory that its root is made over. */
export const namespaceImage = ({ program, init }: NamespaceInputs): Recipe => ({
  ...{ flavour: 'stage1-ns', image: artefacts.stage1Ns, program, files: [init], key: '' },
  entrypoints: ENTRYPOINTS.filter((name) => !OF_MACHINES.has(name)),
  own: async () => ({
    entries: [directory('rootfs/root'), file('rootfs/init', await readFile(init), 0o755)],
  }),
});

/** A root of the host's: nothing but the program. */
export const flyImage = (program: string): Recipe => ({
  ...{ flavour: 'stage1-fly', image: artefacts.stage1Fly, program, files: [], key: '' },
  entrypoints: ['run', 'enter', 'gc', 'stop'],
  own: async () => ({ entries: [] }),
});

/** Writes an image unless the one there was made from the same parts. */
export async function buildStage1Image(recipe: Recipe): Promise<Outcome> {
  const files = await Promise.all([recipe.program, ...recipe.files].map((path) => readFile(path)));
  const parts = [await packageVersion(), await readNotice(), recipe.key, ...files];
  const sources = await digestFiles(rootDir, [
    'stage1-kvm/image',
    'tools/stage1',
    'tools/stage1-image.ts',
    'src/abi',
  ]);
  const { flavour, image } = recipe;
  return keyed(flavour, digest(...parts, sources), [image], async () =>
    writeWhole(image, await assembleStage1Image(recipe)),
  );
}

/**
 * The bytes of the image: the same for the same parts, wherever and whenever it is built. A plain tar: unpacking a compressed one would
 * cost its reader more than the disk space saved.
 */
export async function assembleStage1Image({
  flavour,
  program,
  entrypoints,
  own,
}: Recipe): Promise<Uint8Array> {
  const version = await packageVersion();
  const parts = { flavour, version, program: await readFile(program), notice: await readNotice() };
  const chosen = entrypoints === undefined ? {} : { entrypoints };
  const { entries, ...named } = await own();
  return writeTar(stage1Entries({ ...parts, ...chosen, ...named }, entries));
}

function readNotice(): Promise<Uint8Array> {
  return readFile(join(rootDir, 'NOTICE'));
}

async function packageVersion(): Promise<string> {
  const parsed: unknown = JSON.parse(await readFile(join(rootDir, 'package.json'), 'utf8'));
  if (typeof parsed === 'object' && parsed !== null && 'version' in parsed) return String(parsed.version);
  throw new TypeError('package.json has no version');
}
