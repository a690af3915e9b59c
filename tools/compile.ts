import { copyFile, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { formatLineMap } from '../src/native/line-map.ts';
import { digest } from './digest.ts';
import { buildEngine, type EngineBuild, run } from './engine.ts';
import { BuildError } from './error.ts';
import { buildDir, rootDir } from './paths.ts';
import { lineRuns } from './source-map.ts';
import { keyed } from './step.ts';

/** What is C in a program: `src/native/NAME`. */
const C_FILES = ['shim.c', 'heap.c', 'heap.h'];
const nativeDir = join(rootDir, 'src', 'native');
const prelude = join(nativeDir, 'prelude.ts');

const compileFlags = [
  '-Os',
  '-Wall',
  '-ffunction-sections',
  '-fdata-sections',
  '-fno-asynchronous-unwind-tables',
];
// Position independent: the supervisor parses what hostile guests say, so its addresses are not to be known.
// musl-gcc takes -static-pie and links dynamically: start files and linker options are given one by one instead.
const muslDir = '/usr/lib/x86_64-linux-musl';
const startFiles = ['rcrt1.o', 'crti.o'].map((name) => join(muslDir, name));
const endFiles = [join(muslDir, 'crtn.o')];
const linkFlags = [
  '-fPIE',
  '-nostartfiles',
  '-static',
  '-Wl,-pie,--no-dynamic-linker,-z,text',
  '-s',
  '-Wl,--gc-sections',
  '-Wl,--build-id=none',
  '-Wl,-z,relro,-z,now',
];

/** One program: where it starts, what it is called, and the directory its ELF goes to. */
export interface Program {
  readonly entry: string;
  readonly name: string;
  readonly outDir: string;
  /** Whether it knows nothing of its source's lines, and starts faster by that: for what is started often, and tells its errors itself. */
  readonly stripped?: boolean;
}

interface Bundle {
  readonly code: string;
  readonly map: string;
  readonly lines: string;
}

/**
 * Compiles TypeScript over `src/native` to a static executable and gives its path. The same sources make the
 * same bytes; nothing happens when they have not changed. The source map goes to `build/maps/NAME.js.map`.
 */
export async function compileProgram({ entry, name, outDir, stripped = false }: Program): Promise<string> {
  const cTexts = Promise.all(C_FILES.map((name) => readFile(join(nativeDir, name))));
  const [engine, whole, c] = await Promise.all([buildEngine(), bundle(entry), cTexts]);
  const bundled = stripped ? { ...whole, lines: '' } : whole;
  const out = join(outDir, name);
  const flags = JSON.stringify([compileFlags, linkFlags, out]);
  const key = digest(engine.key, ...c, flags, bundled.code, bundled.lines);
  await keyed(`program-${name}`, key, [out], () => makeProgram(engine, bundled, { name, stripped }, out));
  return out;
}

/** Modules of which a program has what they export, and not how that is made: it would take longer than the program's start. */
const COMPUTED = /\/src\/supervisor\/seccomp\/default-filter\.ts$/;

const computed: Plugin = {
  name: 'computed',
  setup({ onLoad }) {
    onLoad({ filter: COMPUTED }, async ({ path }) => {
      const made: Record<string, unknown> = await import(pathToFileURL(path).href);
      const lines = Object.entries(made).map(
        ([name, value]) => `export const ${name} = ${JSON.stringify(value)};`,
      );
      return { contents: lines.join('\n'), loader: 'js' };
    });
  },
};

async function bundle(entry: string): Promise<Bundle> {
  const start = [prelude, resolve(entry)].map((path) => `import ${JSON.stringify(path)};`).join('\n');
  const result = await build({
    stdin: { contents: start, resolveDir: rootDir, sourcefile: 'start.ts', loader: 'ts' },
    absWorkingDir: rootDir,
    // Never written: it only makes the sources' names in the map relative to the root.
    outfile: join(rootDir, 'program.js'),
    bundle: true,
    format: 'esm',
    target: 'es2023',
    platform: 'neutral',
    plugins: [computed],
    sourcemap: 'external',
    legalComments: 'none',
    write: false,
    logLevel: 'silent',
  });
  const text = (suffix: string) => result.outputFiles.find((file) => file.path.endsWith(suffix))?.text ?? '';
  const map = text('.map');
  return { code: text('.js'), map, lines: formatLineMap(lineRuns(map)) };
}

async function makeProgram(
  engine: EngineBuild,
  bundled: Bundle,
  { name, stripped }: { readonly name: string; readonly stripped: boolean },
  out: string,
): Promise<void> {
  await mkdir(dirname(out), { recursive: true });
  const work = await mkdtemp(join(buildDir, 'compile-'));
  try {
    await writeFile(join(work, 'program.js'), bundled.code);
    await writeFile(join(work, 'line-map.c'), `const char line_map[] = ${cString(bundled.lines)};\n`);
    await Promise.all(C_FILES.map((name) => copyFile(join(nativeDir, name), join(work, name))));
    // qjsc says what it does not like and exits with 0 all the same.
    const complaint = await run(
      engine.qjsc,
      ['-c', '-m', ...(stripped ? ['-s'] : []), '-N', 'program', '-o', 'bytecode.c', 'program.js'],
      work,
    );
    if (complaint !== '') throw new BuildError('COMMAND_FAILED', `qjsc refuses ${name}: ${complaint}`);
    const sources = [...C_FILES.filter((name) => name.endsWith('.c')), 'bytecode.c', 'line-map.c'];
    const flags = [...compileFlags, `-I${engine.include}`, `-ffile-prefix-map=${work}=.`, ...linkFlags];
    const inputs = [...startFiles, ...sources, engine.lib, '-lm', ...endFiles];
    await run('musl-gcc', [...flags, '-o', 'program', ...inputs], work);
    await keepMap(name, bundled.map);
    await copyFile(join(work, 'program'), `${out}.${process.pid}.tmp`);
    await rename(`${out}.${process.pid}.tmp`, out);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function keepMap(name: string, map: string): Promise<void> {
  const dir = join(buildDir, 'maps');
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, `${name}.js.map`), map);
}

function cString(text: string): string {
  const lines = text.split('\n').map((line) => line.replace(/[\\"]/g, '\\$&'));
  return lines.map((line) => `"${line}\\n"`).join('\n  ');
}

async function main([entry, out]: readonly string[]): Promise<void> {
  if (entry === undefined || out === undefined) {
    process.stderr.write('usage: npx tsx tools/compile.ts ENTRY OUT\n');
    process.exitCode = 2;
    return;
  }
  await compileProgram({ entry, name: basename(out), outDir: resolve(dirname(out)) });
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await main(process.argv.slice(2));
}
