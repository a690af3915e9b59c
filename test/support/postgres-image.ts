import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { debianRoot } from './debian-root.ts';
import { tool } from './tool.ts';

const LABELS = { version: '17', os: 'linux', arch: 'amd64' };

/** What of the packages a server does without: most of what they take up. */
const UNUSED = ['usr/lib/llvm-19', 'usr/share/i18n', 'usr/share/man', 'var/lib/apt', 'var/cache'];
const UNUSED_LIBRARIES = /^(libLLVM|libz3|libclang|gconv$)/;
const LIBRARIES = 'usr/lib/x86_64-linux-gnu';

/**
 * Writes an ACI of Debian's PostgreSQL. `/usr/local/bin/serve DIRECTORY` runs the server on a directory, which at first gets the
 * database that the package's installation has made.
 */
export async function writePostgresImage(path: string): Promise<string> {
  const root = await debianRoot('postgres-root', ['postgresql'], furnish, `1 ${SERVE}`);
  const directory = mkdtempSync(join(tmpdir(), 'rkt-postgres-'));
  const manifest = {
    acKind: 'ImageManifest',
    acVersion: '0.8.11',
    name: 'example.com/postgres',
    labels: Object.entries(LABELS).map(([name, value]) => ({ name, value })),
    app: { exec: ['/usr/local/bin/serve', '/data/pg'], user: '0', group: '0' },
  };
  try {
    writeFileSync(join(directory, 'manifest'), JSON.stringify(manifest));
    await tool('tar', [
      '-C',
      root,
      '--numeric-owner',
      '--transform=s,^\\./,rootfs/,;s,^\\.$,rootfs,',
      '-cf',
      path,
      '.',
    ]);
    await tool('tar', ['-C', directory, '--numeric-owner', '-rf', path, 'manifest']);
    return path;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function furnish(root: string): void {
  const libraries = readdirSync(join(root, LIBRARIES)).filter((name) => UNUSED_LIBRARIES.test(name));
  for (const path of [...UNUSED, ...libraries.map((name) => join(LIBRARIES, name))])
    rmSync(join(root, path), { recursive: true, force: true });
  writeFileSync(join(root, 'usr/local/bin/serve'), SERVE, { mode: 0o755 });
}

const SERVE = `#!/bin/sh
set -e
if [ ! -e "$1" ]; then
  install -d -o postgres -g postgres -m 0700 "$1.new"
  cp -a /var/lib/postgresql/17/main/. "$1.new"
  sync
  mv "$1.new" "$1"
fi
exec setpriv --reuid=postgres --regid=postgres --clear-groups \\
  /usr/lib/postgresql/17/bin/postgres -D "$1" \\
  -c config_file=/etc/postgresql/17/main/postgresql.conf -c data_directory="$1" \\
  -c listen_addresses= -c unix_socket_directories=/tmp -c jit=off -c ssl=off -c external_pid_file= \\
  -c shared_buffers=16MB -c max_connections=10
`;
