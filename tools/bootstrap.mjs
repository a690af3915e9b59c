// Prepares a machine with nothing but Node and npm, then hands over to tools/VERB.ts. Plain JavaScript with
// Node's own modules alone: at this point node_modules may not exist.
// usage: node tools/bootstrap.mjs demo|test|soak|build|build-kernel|bench|package
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packagesFor } from './packages.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const verbs = ['demo', 'test', 'soak', 'build', 'build-kernel', 'bench', 'package'];
const oldestNode = [20, 6];

const verb = process.argv[2] ?? '';
if (!verbs.includes(verb)) fail(`usage: node tools/bootstrap.mjs ${verbs.join('|')}`);
checkMachine();
timed('Debian packages', () => installPackages(packagesFor(verb, debianVersion())));
timed('npm packages', installModules);
const program = join(root, 'tools', `${verb}.ts`);
const handedOver = spawnSync(process.execPath, ['--import', 'tsx', program, ...process.argv.slice(3)], {
  cwd: root,
  stdio: 'inherit',
});
process.exit(handedOver.status ?? 1);

function checkMachine() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < oldestNode[0] || (major === oldestNode[0] && minor < oldestNode[1])) {
    fail(`Node ${oldestNode.join('.')} or newer is needed, this is ${process.versions.node}`);
  }
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    fail(`rkt runs on Linux on x86-64, this is ${process.platform} on ${process.arch}`);
  }
}

function installPackages(packages) {
  const missing = packages.filter(({ name }) => !isInstalled(name));
  if (missing.length === 0) return 'nothing is missing';
  const names = missing.map(({ name }) => name);
  const list = missing.map(({ name, what }) => `    ${name.padEnd(24)} ${what}`).join('\n');
  const command = `apt-get install --no-install-recommends ${names.join(' ')}`;
  if (!existsSync('/usr/bin/apt-get')) {
    fail(
      `these programs are missing (names of Debian's packages), and there is no apt to install them:\n${list}`,
    );
  }
  if (process.getuid() !== 0)
    fail(`these packages are missing:\n${list}\ninstall them as root:\n    ${command}`);
  console.log(`installing what is missing:\n${list}`);
  // A fresh machine has no package lists, an old one stale ones, which shows when installing fails.
  if (!hasPackageLists()) apt('update');
  if (!apt('install', '--yes', '--no-install-recommends', ...names)) {
    apt('update');
    if (!apt('install', '--yes', '--no-install-recommends', ...names)) fail(`this failed: ${command}`);
  }
  return `installed ${names.length}`;
}

function hasPackageLists() {
  const dir = '/var/lib/apt/lists';
  return existsSync(dir) && readdirSync(dir).some((file) => file.includes('_Packages'));
}

function apt(...args) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  return spawnSync('apt-get', ['-q', ...args], { env, stdio: ['ignore', 'inherit', 'inherit'] }).status === 0;
}

function isInstalled(name) {
  const query = spawnSync('dpkg-query', ['--status', name], { encoding: 'utf8' });
  return query.status === 0 && /^Status: .* installed$/m.test(query.stdout);
}

function installModules() {
  const wanted = lockedVersions(join(root, 'package-lock.json'));
  const present = lockedVersions(join(root, 'node_modules', '.package-lock.json'));
  // Optional packages are for other machines; everything else must be there in the locked version.
  const missing = [...wanted].filter(
    ([path, { version, optional }]) => !optional && present.get(path)?.version !== version,
  );
  if (missing.length === 0) return 'nothing is missing';
  const npm = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (npm.status !== 0) fail('npm ci failed');
  return 'installed';
}

function lockedVersions(path) {
  if (!existsSync(path)) return new Map();
  const { packages } = JSON.parse(readFileSync(path, 'utf8'));
  return new Map(Object.entries(packages).filter(([name]) => name !== ''));
}

/** The major version of Debian; a release without one (testing, unstable) counts as newer than all. */
function debianVersion() {
  const text = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
  return Number(/^VERSION_ID="?(\d+)/m.exec(text)?.[1] ?? Number.POSITIVE_INFINITY);
}

function timed(name, work) {
  const started = performance.now();
  const outcome = work();
  console.log(`${name}: ${outcome} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
}

function fail(message) {
  console.error(`rkt: ${message}`);
  process.exit(1);
}
