import { rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import { execa } from 'execa';
import { artefacts, COMMAND_PARTS, commandPart, rootDir } from './paths.ts';

/** Packages that few commands need, and that are larger than all the rest. Modules that import them are imported when needed. */
const parts: Plugin = {
  name: 'parts',
  setup({ onResolve }) {
    onResolve({ filter: new RegExp(`^(${COMMAND_PARTS.join('|')})$`) }, ({ path }) => ({
      path: `./${basename(commandPart(path))}`,
      external: true,
    }));
  },
};

const OPTIONS = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  charset: 'ascii',
  // vm.Script has no loader for import(): it becomes a require in a promise.
  supported: { 'dynamic-import': false },
  define: { 'import.meta.url': 'bundleUrl' },
  banner: {
    js: '(function (require, __filename) { const module = { exports: {} }, exports = module.exports, bundleUrl = require("node:url").pathToFileURL(__filename).href;',
  },
  footer: { js: 'return module.exports; })' },
  sourcemap: 'external',
  logLevel: 'silent',
} satisfies BuildOptions;

/**
 * Bundles the `rkt` command, and each part of it that is loaded when it is needed, into one function expression of (require, path of
 * the bundle), which is what bin/rkt calls. Modules behind `import()` stay unevaluated until asked for. In the bundle
 * `import.meta.url` is the bundle's own.
 */
export async function bundleCommand(): Promise<void> {
  await Promise.all([
    bundleFile(artefacts.rktBundle, {
      entryPoints: [join(rootDir, 'src', 'main.ts')],
      plugins: [parts],
      // V8 makes tables of a thousand names at every start; and only with this does esbuild give no name to each module's function.
      minifyIdentifiers: true,
      // Read whole at every start.
      minifyWhitespace: true,
    }),
    ...COMMAND_PARTS.map((name) =>
      bundleFile(commandPart(name), {
        stdin: { contents: `module.exports = require('${name}');`, resolveDir: rootDir },
      }),
    ),
  ]);
}

/** V8's code cache, beside each of the files: what a run of theirs has compiled. */
export async function cacheCode(): Promise<void> {
  await execa('node', [join(rootDir, 'tools', 'code-cache.mjs'), artefacts.rktBundle]);
}

async function bundleFile(bundle: string, input: BuildOptions): Promise<void> {
  const temporary = `${bundle}.tmp`;
  await build({ ...OPTIONS, ...input, outfile: temporary });
  await rm(`${bundle}.cache`, { force: true });
  await rename(`${temporary}.map`, `${bundle}.map`);
  await rename(temporary, bundle);
}
