import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { execa } from 'execa';
import { artefacts, rootDir } from './paths.ts';

/**
 * Bundles the `rkt` command into one function expression of (require, path of the bundle), which is what
 * bin/rkt calls, and stores V8's code cache beside it. Modules behind `import()` stay unevaluated until asked
 * for; koffi stays outside, it has a native part. In the bundle `import.meta.url` is the bundle's own.
 */
export async function bundleCommand(): Promise<void> {
  const bundle = artefacts.rktBundle;
  const temporary = `${bundle}.tmp`;
  await build({
    entryPoints: [join(rootDir, 'src', 'main.ts')],
    outfile: temporary,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    charset: 'ascii',
    external: ['koffi'],
    // vm.Script has no loader for import(): it becomes a require in a promise.
    supported: { 'dynamic-import': false },
    define: { 'import.meta.url': 'bundleUrl' },
    banner: {
      js: '(function (require, __filename) { const module = { exports: {} }, exports = module.exports, bundleUrl = require("node:url").pathToFileURL(__filename).href;',
    },
    footer: { js: '})' },
    sourcemap: 'external',
    logLevel: 'silent',
  });
  await rm(`${bundle}.cache`, { force: true });
  await rename(`${temporary}.map`, `${bundle}.map`);
  await rename(temporary, bundle);
  await execa('node', [join(rootDir, 'tools', 'code-cache.mjs'), bundle]);
}
