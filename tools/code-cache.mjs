// Runs commands of the bundle, as bin/rkt does, and stores the code that V8 compiled on the way, of it and of its parts: what a fetch
// and a run need is not compiled anew each time. None of them changes anything but a directory of its own.
// usage: node tools/code-cache.mjs BUNDLE
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import Module, { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import v8 from 'node:v8';
import { Script } from 'node:vm';

const ARCHITECTURES = { x64: 'amd64', arm64: 'aarch64' };
const bundle = resolve(process.argv[2]);
const scripts = new Map();
const requirePackage = createRequire(bundle);
const scratch = mkdtempSync(join(tmpdir(), 'rkt-code-cache-'));
// A registry that has nothing: what is asked of it is asked of any.
const registry = createServer((_, response) => response.writeHead(404).end());
await new Promise((resolve) => registry.listen(0, '127.0.0.1', resolve));

const where = ['dir', 'system-config', 'local-config'].map((name) => `--${name}=${join(scratch, name)}`);
const lenient = '--insecure-options=image,http';
// In this order: the second run ends as if it could not become the pod's supervisor, and leaves what is listed and collected.
const commands = [
  ['version'],
  [...where, 'image', 'list'],
  [...where, lenient, 'fetch', `docker://127.0.0.1:${registry.address().port}/absent`],
  ...(process.getuid() === 0 ? [runOf(makeImage()), runOf(join(scratch, 'image.aci'))] : []),
  [...where, 'list'],
  [...where, 'gc', '--grace-period=0s'],
];
// A command that sets a flag of V8's while it runs would leave its mark in the cache, which V8 then refuses to all others.
v8.setFlagsFromString = () => {};
try {
  for (const stream of [process.stdout, process.stderr]) stream.write = () => true;
  // What commands that call other programs have of it; they come to be in directories that go.
  await requirePart('./rkt.execa.cjs').execa('true');
  for (const args of commands) await run(args);
  for (const [path, script] of scripts) store(path, script.createCachedData());
} finally {
  registry.close();
  rmSync(scratch, { recursive: true });
}
// Those that found nothing have failed, as they should.
process.exit(0);

function runOf(image) {
  return [...where, lenient, 'run', '--net=none', `--stage1-path=${image}`, image];
}

/** One that can be an app's and a stage1. */
function makeImage() {
  const tree = join(scratch, 'image');
  mkdirSync(join(tree, 'rootfs'), { recursive: true });
  const manifest = {
    acKind: 'ImageManifest',
    acVersion: '0.8.11',
    name: 'nothing',
    labels: [
      { name: 'os', value: 'linux' },
      { name: 'arch', value: ARCHITECTURES[process.arch] ?? process.arch },
    ],
    app: { exec: ['/nothing'], user: '0', group: '0' },
    annotations: [
      { name: 'coreos.com/rkt/stage1/run', value: '/nothing' },
      { name: 'coreos.com/rkt/stage1/interface-version', value: '6' },
    ],
  };
  writeFileSync(join(tree, 'manifest'), JSON.stringify(manifest));
  execFileSync('tar', ['-C', tree, '-cf', `${tree}.aci`, 'manifest', 'rootfs']);
  return `${tree}.aci`;
}

async function run(args) {
  process.argv = [process.argv[0], 'rkt', ...args];
  process.exitCode = undefined;
  scriptOf(bundle).runInThisContext()(requirePart, bundle);
  // The command says when it has ended by its exit code.
  while (process.exitCode === undefined) await delay(1);
}

function scriptOf(path) {
  if (!scripts.has(path)) scripts.set(path, new Script(readFileSync(path, 'latin1'), { filename: path }));
  return scripts.get(path);
}

function requirePart(name) {
  if (name === 'node:module') return { ...Module, createRequire: requireHarmless };
  if (!name.startsWith('./')) return requirePackage(name);
  const path = join(dirname(bundle), name);
  return scriptOf(path).runInThisContext()(requirePart, path);
}

/** The system calls as they are, but for that by which this process would become another program. */
function requireHarmless(from) {
  const required = createRequire(from);
  return (name) => (name.endsWith('/koffi.node') ? harmless(required(name)) : required(name));
}

function harmless(koffi) {
  const func = (library, definition) => (/ execve\(/.test(definition) ? () => -1 : library.func(definition));
  const load = (path) => {
    const library = koffi.load(path);
    return { func: (definition) => func(library, definition) };
  };
  return { ...koffi, load };
}

function store(path, cachedData) {
  const { cachedDataRejected } = new Script(readFileSync(path, 'latin1'), { filename: path, cachedData });
  if (cachedDataRejected) throw new Error(`${path}: V8 refuses the code cache that it has just made`);
  writeFileSync(`${path}.cache.tmp`, cachedData);
  renameSync(`${path}.cache.tmp`, `${path}.cache`);
}
