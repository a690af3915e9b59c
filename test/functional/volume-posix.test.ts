import { chownSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { VOLUME_IDS } from '../../src/abi/volume-plan.ts';
import { type Call, callsDirectory, shellCalls } from '../support/calls-program.ts';
import { writeFileImage } from '../support/file-image.ts';
import { VARIANTS } from '../support/flavours.ts';
import { pythonImage } from '../support/images.ts';
import { useRkt } from '../support/rkt.ts';

const rkt = useRkt();
let image = '';
let callImage = '';
beforeAll(async () => {
  image = `oci:${await pythonImage()}:latest`;
  const manifest = { name: 'example.com/calls', exec: ['/bin/sh'], files: await callsDirectory() };
  callImage = await writeFileImage(rkt.path('calls.aci'), manifest);
});

/** What programs expect of a file system, tried in the directory that is the first argument. Prints `NAME ok`, or what went wrong. */
const CHECKS = `
import errno, fcntl, os, stat, sys
top = sys.argv[1] + '/'

def check(name, action):
    try:
        problem = action()
        print(name, 'ok' if problem is None else problem, flush=True)
    except OSError as error:
        print(name, errno.errorcode.get(error.errno, error.errno), flush=True)

def put(name, text):
    with open(top + name, 'w') as file: file.write(text)

def get(name):
    with open(top + name) as file: return file.read()

def differs(got, wanted):
    if got != wanted: return 'got %r, not %r' % (got, wanted)

def rename():
    put('from', 'new'); put('to', 'old')
    os.rename(top + 'from', top + 'to')
    return differs((get('to'), os.path.exists(top + 'from')), ('new', False))

def rename_directory():
    os.makedirs(top + 'd/e'); put('d/e/f', 'deep')
    os.mkdir(top + 'empty')
    os.rename(top + 'd/e', top + 'empty')
    return differs(get('empty/f'), 'deep')

def unlink_open():
    file = open(top + 'gone', 'w+')
    os.unlink(top + 'gone')
    file.write('still there'); file.flush(); file.seek(0)
    return differs((file.read(), os.fstat(file.fileno()).st_nlink), ('still there', 0))

def hard_links():
    put('one', 'same'); os.link(top + 'one', top + 'two')
    with open(top + 'two', 'a') as file: file.write(' file')
    one, two = os.stat(top + 'one'), os.stat(top + 'two')
    return differs((get('one'), one.st_ino == two.st_ino, one.st_nlink), ('same file', True, 2))

def symlinks():
    os.symlink('one', top + 'link')
    return differs((os.readlink(top + 'link'), get('link')), ('one', 'same file'))

def large():
    with open(top + 'large', 'wb') as file:
        file.truncate(5 << 30)
        file.seek((5 << 30) - 4); file.write(b'last')
    with open(top + 'large', 'rb') as file:
        file.seek((5 << 30) - 5)
        tail = file.read()
    return differs((os.stat(top + 'large').st_size, tail, os.stat(top + 'large').st_blocks < 1024), (5 << 30, b'\\0last', True))

def child(action):
    pid = os.fork()
    if pid == 0:
        try: os._exit(action() or 0)
        except OSError as error: os._exit(error.errno)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

def attributes():
    put('attributed', '')
    os.setxattr(top + 'attributed', 'user.colour', b'blue')
    value = os.getxattr(top + 'attributed', 'user.colour'), os.listxattr(top + 'attributed')
    os.removexattr(top + 'attributed', 'user.colour')
    return differs((value, os.listxattr(top + 'attributed')), ((b'blue', ['user.colour']), []))

def locks(take):
    put('locked', '')
    with open(top + 'locked', 'r+') as file:
        take(file)
        def other():
            with open(top + 'locked', 'r+') as own: take(own)
        held = child(other)
    return differs((held, child(other)), (errno.EAGAIN, 0))

def nameless():
    fd = os.open(top, os.O_TMPFILE | os.O_RDWR, 0o600)
    os.write(fd, b'nameless')
    os.link('/proc/self/fd/%d' % fd, top + 'named', src_dir_fd=os.open('/', os.O_RDONLY))
    return differs(get('named'), 'nameless')

def ownership():
    put('owned', ''); os.chown(top + 'owned', 1000, 2000); os.chmod(top + 'owned', 0o640)
    seen = os.stat(top + 'owned')
    return differs((seen.st_uid, seen.st_gid, stat.S_IMODE(seen.st_mode)), (1000, 2000, 0o640))

def as_others():
    os.mkdir(top + 'home'); os.chown(top + 'home', 1000, 1000)
    def become():
        os.setgid(1000); os.setuid(1000)
        with open(top + 'home/mine', 'w') as file: file.write('mine')
        return 0 if os.stat(top + 'home/mine').st_uid == 1000 else 1
    return differs(child(become), 0)

def times():
    put('timed', ''); os.utime(top + 'timed', ns=(1, 123456789012345678))
    return differs(os.stat(top + 'timed').st_mtime_ns, 123456789012345678)

def many():
    os.mkdir(top + 'many')
    names = ['file-%04d' % n for n in range(700)]
    for name in names: open(top + 'many/' + name, 'w').close()
    listed = sorted(os.listdir(top + 'many'))
    for name in names: os.unlink(top + 'many/' + name)
    return differs((listed == names, os.listdir(top + 'many')), (True, []))

def special():
    os.mkfifo(top + 'pipe')
    def write():
        with open(top + 'pipe', 'w') as file: file.write('through')
    pid = os.fork()
    if pid == 0:
        write(); os._exit(0)
    with open(top + 'pipe') as file: text = file.read()
    os.waitpid(pid, 0)
    return differs(text, 'through')

def synced():
    with open(top + 'synced', 'w') as file:
        file.write('on disk'); file.flush(); os.fsync(file.fileno())
    fd = os.open(top, os.O_RDONLY | os.O_DIRECTORY); os.fsync(fd); os.close(fd)

def appended():
    a, b = open(top + 'log', 'a'), open(top + 'log', 'a')
    for n in range(3):
        a.write('a\\n'); a.flush(); b.write('b\\n'); b.flush()
    return differs(get('log'), 'a\\nb\\n' * 3)

flock = lambda file: fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
record = lambda file: fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
for name, action in [
    ('rename', rename), ('rename-directory', rename_directory), ('unlink-open', unlink_open), ('hard-links', hard_links),
    ('symlinks', symlinks), ('large', large), ('xattrs', attributes),
    ('flock', lambda: locks(flock)), ('fcntl-lock', lambda: locks(record)), ('o-tmpfile', nameless), ('ownership', ownership),
    ('as-others', as_others), ('times', times), ('many', many), ('fifo', special), ('fsync', synced), ('append', appended),
]: check(name, action)
`;

const NAMES = [
  ...['rename', 'rename-directory', 'unlink-open', 'hard-links', 'symlinks', 'large', 'xattrs', 'flock'],
  ...['fcntl-lock', 'o-tmpfile', 'ownership', 'as-others', 'times', 'many', 'fifo', 'fsync', 'append'],
];

/** Where both processes have the file, and as much of it. */
const ADDRESS = 2 ** 32;
const SIZE = 4096;
const [READ_WRITE, SHARED_FIXED, O_RDWR] = [3, 0x11, 2];
const mapped: readonly Call[] = [
  ['openat', -100, '/v/mapped', O_RDWR],
  ['mmap', ADDRESS, SIZE, READ_WRITE, SHARED_FIXED, 'result', 0],
];

/** One maps the file and waits, the other writes to its own mapping; then the first looks at its, and others at the file. */
const SHARE_MEMORY = `
head -c ${SIZE} /dev/zero > /v/mapped; mkfifo /tmp/go
(${shellCalls(...mapped, ['read', 0, ADDRESS + 100, 1], ['write', 1, ADDRESS, 7])}) < /tmp/go > /tmp/seen &
exec 3> /tmp/go
printf written | ${shellCalls(...mapped, ['read', 0, ADDRESS, 7])} > /tmp/said
printf x >&3; wait
tail -1 /tmp/seen; tail -1 /tmp/said; head -c 7 /v/mapped
`;

describe.each(VARIANTS)('$name', (flavour) => {
  const source = join(rkt.path('sources'), flavour.name);
  const seen = { host: new Map<string, string>(), empty: new Map<string, string>() };

  beforeAll(async () => {
    mkdirSync(source, { recursive: true });
    chownSync(source, VOLUME_IDS.first, VOLUME_IDS.first);
    const volumes = [`--volume=host,kind=host,source=${source}`, '--volume=empty,kind=empty'];
    for (const kind of ['host', 'empty'] as const) {
      const stdout = await rkt.output(
        [
          ...['run', '--net=none', `--stage1-path=${flavour.image}`, ...flavour.flags, ...volumes],
          ...[image, `--mount=volume=${kind},target=/v`, '--exec=/usr/bin/python3', '--', '-c', CHECKS, '/v'],
        ],
        { timeoutSeconds: 300 },
      );
      for (const [, name = '', what = ''] of stdout.matchAll(/^(\S+) (.*)$/gm)) seen[kind].set(name, what);
    }
  });

  describe.each(['host', 'empty'] as const)('a volume of kind %s', (kind) => {
    test.each(NAMES)('%s', (name) => {
      // Of servers of virtio-fs not all have files without names.
      const answers = name === 'o-tmpfile' && flavour.ownKernel ? ['ok', 'ENOTSUP'] : ['ok'];
      expect(answers).toContain(seen[kind].get(name));
    });
  });

  test.each(['host', 'empty'])('memory that processes share through a volume of kind %s', async (kind) => {
    const { stdout } = await rkt.run(
      [
        ...['run', '--net=none', `--stage1-path=${flavour.image}`, ...flavour.flags],
        ...[`--volume=host,kind=host,source=${source}`, '--volume=empty,kind=empty', callImage],
        ...[`--mount=volume=${kind},target=/v`, '--exec=/bin/sh', '--', '-c', SHARE_MEMORY],
      ],
      { timeoutSeconds: 300 },
    );
    expect(stdout).toBe('writtenok\nok\nwritten');
  });

  test('owners on the host are the pod’s, in a range of their own', () => {
    const at = (name: string) => join(source, name);
    const [uid, gid] = [VOLUME_IDS.first + 1000, VOLUME_IDS.first + 2000];
    expect([statSync(at('owned')).uid, statSync(at('owned')).gid]).toEqual([uid, gid]);
    expect([statSync(at('home/mine')).uid, readFileSync(at('home/mine'), 'utf8')]).toEqual([uid, 'mine']);
    expect(statSync(at('large')).size).toBe(5 * 2 ** 30);
    expect(readdirSync(at('many'))).toEqual([]);
  });
});
