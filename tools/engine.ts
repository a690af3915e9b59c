import { access, cp, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { fetchSource } from './debian.ts';
import { digest } from './digest.ts';
import { BuildError } from './error.ts';
import { buildDir } from './paths.ts';
import { quickjs } from './pins.ts';

/** The QuickJS engine as compiled programs need it: a compiler to bytecode, and the library they are linked with. */
export interface EngineBuild {
  /** Of what the engine is made; part of the key of everything made with it. */
  readonly key: string;
  readonly qjsc: string;
  readonly lib: string;
  readonly include: string;
}

const engineFiles = ['quickjs', 'dtoa', 'libregexp', 'libunicode', 'cutils'];
const compilerFiles = [...engineFiles, 'quickjs-libc', 'qjsc'];
// quickjs-libc belongs to qjsc alone: compiled programs have no C library functions in JavaScript.
const shared = ['-D_GNU_SOURCE', `-DCONFIG_VERSION="${quickjs.version}"`, '-fwrapv', '-w'];
const compilerFlags = [...shared, '-O1', '-DCONFIG_CC="gcc"', '-DCONFIG_PREFIX="/usr"'];
const libraryFlags = [
  ...shared,
  '-Os',
  '-ffunction-sections',
  '-fdata-sections',
  '-fno-asynchronous-unwind-tables',
  '-fPIE',
];

let building: Promise<EngineBuild> | undefined;

/** Builds the engine, or finds it built. Takes half a minute the first time. */
export function buildEngine(): Promise<EngineBuild> {
  building ??= findOrBuild();
  return building;
}

async function findOrBuild(): Promise<EngineBuild> {
  const compilers = await Promise.all(['gcc', 'musl-gcc'].map((cc) => run(cc, ['--version'])));
  const recipe = JSON.stringify([quickjs, engineFiles, compilerFiles, compilerFlags, libraryFlags]);
  const key = digest(recipe, ...compilers);
  const dir = join(buildDir, 'engine', key);
  if (!(await exists(dir))) await build(dir);
  return { key, qjsc: join(dir, 'qjsc'), lib: join(dir, 'libquickjs.a'), include: join(dir, 'include') };
}

// Everything happens in a directory of its own that gets its name when it is complete: an interrupted build
// leaves nothing that looks finished, and of two builds at once either may win.
async function build(dir: string): Promise<void> {
  await mkdir(join(dir, '..'), { recursive: true });
  const work = await mkdtemp(`${dir}.`);
  try {
    const dsc = await fetchSource(quickjs.package, quickjs.version, work);
    const source = join(work, 'source');
    await run('dpkg-source', ['--no-check', '--extract', dsc, source], work);
    const out = join(work, 'out');
    await mkdir(join(out, 'include'), { recursive: true });
    await Promise.all([buildCompiler(source, out), buildLibrary(source, out)]);
    await cp(join(source, 'quickjs.h'), join(out, 'include', 'quickjs.h'));
    await cp(join(source, 'LICENSE'), join(out, 'LICENSE'));
    await rename(out, dir).catch(async (error: unknown) => {
      if (!(await exists(dir))) throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function buildCompiler(source: string, out: string): Promise<void> {
  const objects = await compileAll('gcc', compilerFlags, compilerFiles, source, 'compiler');
  await run('gcc', ['-o', join(out, 'qjsc'), ...objects, '-lm', '-ldl', '-lpthread'], source);
}

async function buildLibrary(source: string, out: string): Promise<void> {
  const objects = await compileAll('musl-gcc', libraryFlags, engineFiles, source, 'library');
  await run('ar', ['rcD', join(out, 'libquickjs.a'), ...objects], source);
}

async function compileAll(
  cc: string,
  flags: readonly string[],
  files: readonly string[],
  source: string,
  kind: string,
): Promise<string[]> {
  const objects: string[] = [];
  for (const file of files) {
    const object = `${kind}-${file}.o`;
    await run(cc, [...flags, '-c', `${file}.c`, '-o', object], source);
    objects.push(object);
  }
  return objects;
}

/** Standard output of a build command; its output comes with the error when it fails. */
export async function run(command: string, args: readonly string[], cwd?: string): Promise<string> {
  try {
    const options = cwd === undefined ? {} : { cwd };
    return (await execa(command, args, { ...options, stdin: 'ignore', env: { LC_ALL: 'C' } })).stdout;
  } catch (cause) {
    throw new BuildError('COMMAND_FAILED', `${command} ${args.join(' ')} failed`, { cause });
  }
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
