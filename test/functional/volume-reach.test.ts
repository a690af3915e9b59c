import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { VOLUME_IDS } from '../../src/abi/volume-plan.ts';
import { childOf } from '../support/child-process.ts';
import { VARIANTS } from '../support/flavours.ts';
import { handlesProgram } from '../support/handles-program.ts';
import { pythonImage } from '../support/images.ts';
import { eventually } from '../support/polling.ts';
import { useRkt } from '../support/rkt.ts';
import { startPod, useRunningPods } from '../support/running-pod.ts';
import { tool } from '../support/tool.ts';

// Files that no name of a pod leads to: by their numbers, and by `..` from a directory that the host has moved away.

const rkt = useRkt();
const pods = useRunningPods();
let image = '';
let program = '';
const top = mkdtempSync(join(tmpdir(), 'rkt-reach-'));
chmodSync(top, 0o755);
afterAll(() => rmSync(top, { recursive: true }));
beforeAll(async () => {
  [image, program] = [`oci:${await pythonImage()}:latest`, await handlesProgram()];
});

const SECRET = 'of the host';
/** What a pod is given. */
const GIVEN = ['rw', 'rw/file', 'rw/handles', 'rw/tree', 'rw/tree/a', 'rw/tree/a/b', 'rw/tree/a/b/within'];
const NODES = 400;
const GENERATIONS = 2;

/** Prints `NAME what came of it`. Takes, as arguments, handles of the host: `TYPE BYTES`. */
const attempts = (handles: readonly string[]) => `
import errno, os, time

def said(name, action):
    try: print(name, action() or '-', flush=True)
    except OSError as error: print(name, errno.errorcode[error.errno], flush=True)

def handles(*words):
    return ', '.join(os.popen('/rw/handles ' + ' '.join(words)).read().strip().split('\\n'))

# A kernel of its own opens by handles what it remembers, and forgets soon what nobody has open.
for path, _, files in os.walk('/rw'): [os.stat(path + '/' + name) for name in files]
held = os.open('/rw/file', os.O_RDONLY)
said('own-opened', lambda: handles('open', '/rw', handles('of', '/rw/file')))
# The last is where a machine has all that its server shares.
for mount in filter(os.path.exists, ['/rw', '/', '/proc/1/root/pod']):
    for handle in ${JSON.stringify(handles)}:
        said('of-host', lambda: handles('open', mount, handle))
said('forged', lambda: handles('forge', '/rw', '${NODES}', '${GENERATIONS}'))

os.chdir('/rw/tree/a/b')
here = os.open('.', os.O_RDONLY)
print('deep', flush=True)
while not os.path.exists('/rw/moved'): time.sleep(0.1)
# So that the server is asked again, where the kernel is the pod's.
os.system('echo 3 2>/dev/null > /proc/sys/vm/drop_caches')
for up in ['../' * count for count in range(1, 9)]:
    said('list', lambda: ' '.join(os.listdir(up)))
    said('read', lambda: open(up + 'secret').read())
    said('held', lambda: os.open(up + 'secret', os.O_RDONLY, dir_fd=here))
    said('made', lambda: open(up + 'made', 'w').close())
said('within', lambda: open('within').read())
print('end', flush=True)
`;

/** All rights that there are, where a pod has a kernel of its own to use them on. */
const RIGHTS = 'image,paths,capabilities,seccomp';

describe.each(VARIANTS)('$name', (flavour) => {
  const at = (name: string) => join(top, flavour.name, name);
  /** Each once, of all that came of what is called so. */
  const came = (name: string): string[] => [
    ...new Set([...stdout.matchAll(new RegExp(`^${name} (.*)$`, 'gm'))].map(([, what = '']) => what)),
  ];
  let stdout = '';
  let given: readonly string[] = [];
  /** Of the directory that is moved, as the server of a machine has it open: what is in the one above it. */
  let above: () => string[] = () => [];

  beforeAll(async () => {
    for (const name of ['outside', 'rw/tree/a/b']) mkdirSync(at(name), { recursive: true });
    for (const name of ['secret', 'outside/secret']) writeFileSync(at(name), SECRET);
    for (const name of ['rw/file', 'rw/tree/a/b/within']) writeFileSync(at(name), 'given');
    copyFileSync(program, at('rw/handles'));
    given = GIVEN.map((name) => `inode ${statSync(at(name)).ino}`);
    for (const name of GIVEN) chownSync(at(name), VOLUME_IDS.first, VOLUME_IDS.first);
    const handles = await Promise.all(
      [at('secret'), at(''), '/'].map(async (path) => (await tool(program, ['of', path])).trim()),
    );
    const pod = await startPod(
      rkt,
      [
        ...[`--stage1-path=${flavour.image}`, ...flavour.flags],
        ...[`--volume=rw,kind=host,source=${at('rw')}`, '--mount=volume=rw,target=/rw'],
        ...[image, '--exec=/usr/bin/python3', '--', '-c', attempts(handles)],
      ],
      flavour.ownKernel ? { insecure: RIGHTS } : {},
    );
    pods.push(pod);
    await eventually('the app is deep in the volume', () => pod.command.stdout.includes('\ndeep\n'));
    if (flavour.ownKernel) {
      const directory = openDirectory(childOf(pod.command.pid, flavour.rootsHolder), at('rw/tree/a'));
      above = () => readdirSync(`${directory}/..`);
      expect(above()).toEqual(['a']);
    }
    renameSync(at('rw/tree/a'), at('outside/a'));
    writeFileSync(at('rw/moved'), '');
    await eventually('the app has tried all', () => pod.command.stdout.includes('\nend\n'));
    stdout = pod.command.stdout;
  });

  test('opens nothing of the host by its handle', () => {
    const refusal = flavour.ownKernel ? 'ESTALE' : 'EPERM';
    expect(came('of-host')).toEqual([refusal]);
    const [own = ''] = came('own-opened');
    const forged = came('forged').flatMap((line) => line.split(', '));
    expect(forged).toContain(refusal);
    // What it remembers: files of the volume.
    if (flavour.ownKernel) expect(forged).toContain(own);
    else expect([own, ...forged]).toEqual([refusal, refusal]);
    expect(forged.filter((line) => line !== refusal && !given.includes(line))).toEqual([]);
  });

  test('gets by `..` nowhere from a directory that the host has moved out of its volume', () => {
    expect([came('read'), came('held')]).toEqual([['ENOENT'], ['ENOENT']]);
    expect(came('list').filter((names) => names.includes('secret'))).toEqual([]);
    expect([readdirSync(at('outside')).sort(), readFileSync(at('outside/secret'), 'utf8')]).toEqual([
      ['a', 'secret'],
      SECRET,
    ]);
    // The directory itself stays open to it.
    expect(came('within')).toEqual(['given']);
    if (flavour.ownKernel) expect(above).toThrow('ENOENT');
    else expect(came('list')).toEqual(['ENOENT']);
  });
});

/** The path of a file descriptor of that process, which is of the directory at `path`. */
function openDirectory(pid: number, path: string): string {
  const { dev, ino } = statSync(path);
  const found = readdirSync(`/proc/${pid}/fd`)
    .map((fd) => `/proc/${pid}/fd/${fd}`)
    .find((fd) => {
      const file = statSync(fd, { throwIfNoEntry: false });
      return file?.dev === dev && file.ino === ino;
    });
  if (found === undefined) throw new Error(`process ${pid} does not have ${path} open`);
  return found;
}
