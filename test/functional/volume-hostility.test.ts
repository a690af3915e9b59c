import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { VOLUME_IDS } from '../../src/abi/volume-plan.ts';
import { SHARE_FILES } from '../../stage1-kvm/vmm.ts';
import { VARIANTS } from '../support/flavours.ts';
import { pythonImage } from '../support/images.ts';
import { useRkt } from '../support/rkt.ts';

const rkt = useRkt();
let image = '';
/** Where everybody gets. */
const top = mkdtempSync(join(tmpdir(), 'rkt-hostile-'));
chmodSync(top, 0o755);
afterAll(() => rmSync(top, { recursive: true }));
beforeAll(async () => {
  image = `oci:${await pythonImage()}:latest`;
});

/**
 * What root of a pod may try; of a machine with all rights over its kernel. Prints `NAME what came of it`: `done`, or the error's
 * name. Volumes: /rw and /other may be written to, /ro not; all are on one file system of the host.
 */
const ATTEMPTS = `
import errno, os, stat

def attempt(name, action):
    try:
        said = action()
        print(name, 'done' if said is None else said, flush=True)
    except OSError as error:
        print(name, errno.errorcode.get(error.errno, error.errno), flush=True)

def put(path, text='from the pod'):
    with open(path, 'w') as file: file.write(text)

def command(text):
    if os.system(text + ' 2>/dev/null') != 0: return 'failed'

def copy(path):
    with open('/rw/program', 'rb') as source, open(path, 'wb') as target: target.write(source.read())
    os.chmod(path, 0o755)

def shares():
    top = '/proc/1/root/pod/.volumes/'
    return [top + name for name in os.listdir(top) if name.endswith('.ro')]

def capable(path):
    copy(path)
    # struct vfs_cap_data, version 2: all that there are.
    os.setxattr(path, 'security.capability', bytes.fromhex('01000002' + 'ffffffff' + '00000000' + 'ff010000' + '00000000'))

def set_user_id(path):
    copy(path)
    os.chmod(path, 0o6755)

def escape(top):
    # Down, up by a directory that has gone elsewhere, and up again.
    os.makedirs(top + '/a/b/c')
    os.chdir(top + '/a/b/c')
    os.rename(top + '/a/b', '/other/b')

def walk_up(path):
    os.chdir(path)
    for _ in range(20): os.chdir('..')
    return ' '.join(sorted(os.listdir('.'))[:3])

attempt('read-only-write', lambda: put('/ro/new'))
attempt('read-only-append', lambda: open('/ro/file', 'a'))
attempt('read-only-remove', lambda: os.unlink('/ro/file'))
attempt('read-only-chmod', lambda: os.chmod('/ro/file', 0o4777))
attempt('read-only-chown', lambda: os.chown('/ro/file', 1, 1))
attempt('read-only-xattr', lambda: os.setxattr('/ro/file', 'user.x', b'y'))
attempt('read-only-utime', lambda: os.utime('/ro/file'))
attempt('read-only-rename', lambda: os.rename('/ro/file', '/ro/other'))
attempt('read-only-below', lambda: put('/ro/sub/new'))
attempt('remount', lambda: command('mount -o remount,bind,rw /ro'))
attempt('remounted-write', lambda: put('/ro/new'))
attempt('share-write', lambda: [put(path + '/new') for path in shares()] and None)
attempt('link-out', lambda: os.link('/ro/file', '/rw/linked'))
attempt('link-across', lambda: os.link('/rw/own', '/other/linked'))
attempt('rename-across', lambda: escape('/rw'))
attempt('up', lambda: walk_up('/rw'))
os.symlink('../../../../../../../../etc/shadow-of-host', '/rw/up')
os.symlink('/etc/shadow-of-host', '/rw/absolute')
attempt('symlink-up', lambda: open('/rw/up').read())
attempt('symlink-absolute', lambda: open('/rw/absolute').read())
attempt('device', lambda: os.mknod('/rw/device', stat.S_IFBLK | 0o666, os.makedev(7, 0)))
attempt('null', lambda: os.mknod('/rw/null', stat.S_IFCHR | 0o666, os.makedev(1, 3)))
attempt('set-user-id', lambda: set_user_id('/rw/set-user-id'))
attempt('capability', lambda: capable('/rw/capable'))
attempt('chown-root', lambda: os.chown('/rw/own', 0, 0))
attempt('chown-far', lambda: os.chown('/rw/own', 4000000, 4000000))
attempt('host-secret', lambda: open('/rw/secret').read())
attempt('host-remove', lambda: os.unlink('/rw/secret'))
attempt('trusted', lambda: os.setxattr('/rw/own', 'trusted.overlay.opaque', b'y'))
put('/rw/end')
`;

/** All rights that there are, where a pod has a kernel of its own to use them on. */
const RIGHTS = '--insecure-options=image,paths,capabilities,seccomp';

describe.each(VARIANTS)('$name', (flavour) => {
  const at = (name: string) => join(top, flavour.name, name);
  const came = new Map<string, string>();

  beforeAll(async () => {
    for (const name of ['rw', 'other', 'ro', 'ro/sub']) {
      mkdirSync(at(name), { recursive: true });
      chownSync(at(name), VOLUME_IDS.first, VOLUME_IDS.first);
    }
    // What runs on the host, whatever the image is of.
    writeFileSync(at('rw/program'), readFileSync('/usr/bin/python3'));
    for (const name of ['ro/file', 'rw/own']) {
      writeFileSync(at(name), 'as it was');
      chownSync(at(name), VOLUME_IDS.first, VOLUME_IDS.first);
    }
    chownSync(at('rw/program'), VOLUME_IDS.first, VOLUME_IDS.first);
    writeFileSync(at('rw/secret'), 'of the host');
    chmodSync(at('rw/secret'), 0o600);
    const volumes = ['rw', 'other', 'ro'].flatMap((name) => [
      `--volume=${name},kind=host,source=${at(name)}${name === 'ro' ? ',readOnly=true' : ''}`,
      `--mount=volume=${name},target=/${name}`,
    ]);
    const { stdout, stderr } = await rkt.run(
      [
        ...['run', '--net=none', `--stage1-path=${flavour.image}`, ...flavour.flags],
        ...(flavour.ownKernel ? [RIGHTS] : []),
        ...[...volumes, image, '--exec=/usr/bin/python3', '--', '-c', ATTEMPTS],
      ],
      { timeoutSeconds: 300 },
    );
    for (const [, name = '', what = ''] of stdout.matchAll(/^(\S+) (.*)$/gm)) came.set(name, what);
    expect({ ended: existsSync(at('rw/end')), stderr: existsSync(at('rw/end')) ? '' : stderr }).toEqual({
      ended: true,
      stderr: '',
    });
  });

  test('writes nothing through a read-only volume, however it is mounted inside', () => {
    const refusals = ['write', 'append', 'remove', 'chmod', 'chown', 'xattr', 'utime', 'rename', 'below'];
    // Who has users of its own is nobody there to begin with.
    const answer = new RegExp(flavour.flags.length === 0 ? '^EROFS$' : '^(EROFS|EACCES|EPERM)$');
    for (const name of refusals) expect(came.get(`read-only-${name}`), name).toMatch(answer);
    // A machine's kernel is its own to tell; the host's is not.
    expect(came.get('remount')).toBe(flavour.ownKernel ? 'done' : 'failed');
    expect(came.get('remounted-write')).toBe('EROFS');
    expect(came.get('share-write')).toBe(flavour.ownKernel ? 'EROFS' : 'EACCES');
    expect(readdirSync(at('ro')).sort()).toEqual(['file', 'sub']);
    expect(readdirSync(at('ro/sub'))).toEqual([]);
    expect([readFileSync(at('ro/file'), 'utf8'), statSync(at('ro/file')).mode & 0o7777]).toEqual([
      'as it was',
      0o644,
    ]);
  });

  test('reaches nothing beyond a shared directory', () => {
    expect([came.get('link-out'), came.get('link-across'), came.get('rename-across')]).toEqual([
      'EXDEV',
      'EXDEV',
      'EXDEV',
    ]);
    expect(came.get('up')).toBe('bin boot dev');
    expect([came.get('symlink-up'), came.get('symlink-absolute')]).toEqual(['ENOENT', 'ENOENT']);
    expect([came.get('host-secret'), came.get('host-remove')]).toEqual(['EACCES', 'EOVERFLOW']);
    expect(readFileSync(at('rw/secret'), 'utf8')).toBe('of the host');
    expect(readdirSync(at('other'))).toEqual([]);
  });

  test('leaves nothing that makes anybody of the host somebody else, and no device', () => {
    expect([came.get('device'), came.get('null')]).toEqual(['EPERM', 'EPERM']);
    expect(['device', 'null'].filter((name) => existsSync(at(`rw/${name}`)))).toEqual([]);
    expect(came.get('set-user-id')).toBe('done');
    expect(came.get('chown-root')).toBe('done');
    expect(came.get('chown-far')).not.toBe('done');
    expect(came.get('trusted')).not.toBe('done');
    for (const name of readdirSync(at('rw')).filter(
      (name) => name !== 'secret' && name !== 'up' && name !== 'absolute',
    )) {
      const { uid, gid } = statSync(at(`rw/${name}`));
      expect([name, uid, gid]).toEqual([name, VOLUME_IDS.first, VOLUME_IDS.first]);
    }
    const nobody = ['setpriv', '--reuid=12345', '--regid=12345', '--clear-groups'];
    const look =
      'import os; print(os.geteuid(), os.getegid(), *[line.split()[1] for line in open("/proc/self/status") if line.startswith("CapEff")])';
    const run = (name: string) =>
      execFileSync(nobody[0] ?? '', [...nobody.slice(1), at(`rw/${name}`), '-c', look], {
        encoding: 'utf8',
      }).trim();
    expect(Number(run('set-user-id').split(' ')[0])).toBe(VOLUME_IDS.first);
    if (came.get('capability') === 'done') expect(run('capable')).toBe('12345 12345 0000000000000000');
  });

  /** Each file that a guest's kernel remembers is one that its server has open. */
  test.runIf(flavour.ownKernel)('takes no more files of the host than its server may have', async () => {
    const source = at('many');
    mkdirSync(source);
    chownSync(source, VOLUME_IDS.first, VOLUME_IDS.first);
    const fill = `
import os
made = 0
try:
    while made < ${SHARE_FILES + 1000}:
        os.close(os.open('/v/%d' % made, os.O_CREAT | os.O_RDWR))
        made += 1
except OSError: print('no more', flush=True)
`;
    const volume = [`--volume=v,kind=host,source=${source}`, '--mount=volume=v,target=/v'];
    const { code, stdout } = await rkt.run(
      [
        ...['run', '--net=none', `--stage1-path=${flavour.image}`, ...volume, image],
        ...['--exec=/usr/bin/python3', '--', '-c', fill],
      ],
      { timeoutSeconds: 600 },
    );
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'no more\n' });
    expect(readdirSync(source).length).toBeLessThan(SHARE_FILES);
  });
});
