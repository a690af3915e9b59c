import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { builtName, sourcesKey } from './built.ts';
import { linkCniPlugins } from './cni-links.ts';
import { bundleCommand, cacheCode } from './command-bundle.ts';
import { compileProgram, type Program } from './compile.ts';
import { buildEngine } from './engine.ts';
import { buildChosenKernel } from './kernel-choice.ts';
import { artefacts, buildDir, rootDir } from './paths.ts';
import { program } from './program.ts';
import {
  assembleStage1Image,
  buildStage1Image,
  flyImage,
  machineImage,
  namespaceImage,
} from './stage1-image.ts';
import { keyed, seconds, step, together } from './step.ts';

const programsDir = join(buildDir, 'programs');

/** The compiled programs: name, entry file, and where the ELF goes. */
const programs = {
  init: { name: 'guest-init', entry: 'guest-init/main.ts', outDir: programsDir },
  kvm: { name: 'stage1-kvm', entry: 'stage1-kvm/main.ts', outDir: programsDir },
  ns: { name: 'stage1-ns', entry: 'stage1-ns/main.ts', outDir: programsDir },
  fly: { name: 'stage1-fly', entry: 'stage1-fly/main.ts', outDir: programsDir },
  mount: { name: 'rkt-mount', entry: 'src/supervisor/rkt-mount.ts', outDir: join(buildDir, 'bin') },
  metadata: {
    name: 'metadata-service',
    entry: 'metadata-service/main.ts',
    outDir: join(buildDir, 'bin'),
  },
  cni: {
    name: 'cni-plugins',
    entry: 'cni-plugins/main.ts',
    outDir: join(buildDir, 'bin'),
    stripped: true,
  },
} as const satisfies Readonly<Record<string, Program>>;

/** Makes everything that `bin/rkt` and the tests need, each part only when what it is made of has changed. */
export async function build(): Promise<void> {
  const started = performance.now();
  process.stdout.write('build\n');
  const outcome = await keyed(builtName, await sourcesKey(), Object.values(artefacts), async () => {
    await together([buildStage1(), step('rkt command', bundleCommand)]);
    // By commands that look for the programs.
    await step('code cache', cacheCode);
  });
  process.stdout.write(outcome === 'cached' ? '  nothing has changed\n' : `  built in ${seconds(started)}\n`);
}

// The engine is compiled while the kernel is downloaded: one takes the processor, the other the network.
async function buildStage1(): Promise<void> {
  const [kernelKey, { init, kvm, ns, fly }] = await together([buildKernelStep(), buildPrograms()]);
  for (const image of [
    machineImage({ program: kvm, init, kernelKey }),
    namespaceImage({ program: ns, init }),
    flyImage(fly),
  ])
    await step(`${image.flavour} image`, async (note) => note(await buildStage1Image(image)));
}

function buildKernelStep(): Promise<string> {
  return step('kernel', async (note) => {
    const { key, outcome } = await buildChosenKernel();
    note(outcome);
    return key;
  });
}

async function buildPrograms(): Promise<Readonly<Record<'init' | 'kvm' | 'ns' | 'fly', string>>> {
  await step('engine', () => buildEngine());
  const [init, kvm, ns, fly] = await together([
    compileStep(programs.init),
    compileStep(programs.kvm),
    compileStep(programs.ns),
    compileStep(programs.fly),
    compileStep(programs.mount),
    compileStep(programs.metadata),
    compileStep(programs.cni).then(linkCniPlugins),
  ]);
  return { init, kvm, ns, fly };
}

function compileStep(program: Program): Promise<string> {
  return step(program.name, () => compile(program));
}

function compile(program: Program): Promise<string> {
  return compileProgram({ ...program, entry: join(rootDir, program.entry) });
}

/** stage1-kvm's image with any kernel of the build folder, whichever is chosen. */
export async function machineImageWith(kernelKey: string): Promise<Uint8Array> {
  const [program, init] = await together([compile(programs.kvm), compile(programs.init)]);
  return assembleStage1Image(machineImage({ program, init, kernelKey }));
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await program(async () => {
    await build();
    return 0;
  });
}
