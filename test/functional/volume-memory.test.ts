import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { VOLUME_IDS } from '../../src/abi/volume-plan.ts';
import { SHARE_FILES } from '../../stage1-kvm/vmm.ts';
import { childOf } from '../support/child-process.ts';
import { FLAVOURS } from '../support/flavours.ts';
import { pythonImage } from '../support/images.ts';
import { groupFiles } from '../support/pod-groups.ts';
import { eventually } from '../support/polling.ts';
import { useRkt } from '../support/rkt.ts';
import { startPod, useRunningPods } from '../support/running-pod.ts';

// What a guest can make the host remember for it. Locks it keeps itself; the rest counts for the pod.

const rkt = useRkt();
const pods = useRunningPods();
let image = '';
const source = mkdtempSync(join(tmpdir(), 'rkt-memory-'));
/** More than the server may have open. */
const NAMES = SHARE_FILES + 5000;
const MIB = 1024 * 1024;
/** Of `large`, which is a hole: more than a pod of this size may have in memory. */
const LARGE = 1024 * MIB;

beforeAll(async () => {
  image = `oci:${await pythonImage()}:latest`;
  chmodSync(source, 0o755);
  mkdirSync(join(source, 'names'));
  for (let index = 0; index < NAMES; index++) writeFileSync(join(source, `names/${index}`), '');
  for (const name of ['large', 'file']) writeFileSync(join(source, name), '');
  truncateSync(join(source, 'large'), LARGE);
  for (const name of ['large', 'file', '']) chownSync(join(source, name), VOLUME_IDS.first, VOLUME_IDS.first);
});
afterAll(() => rmSync(source, { recursive: true }));

/** Prints `NAME what came of it`. What takes files comes last: then there are none for anything else. */
const ATTEMPTS = `
import errno, fcntl, os, time

def said(name, action):
    try: print(name, action(), flush=True)
    except OSError as error: print(name, errno.errorcode[error.errno], flush=True)

def tried(count, action):
    refused = 0
    for index in range(count):
        try: action(index)
        except OSError: refused += 1
    return refused

def attribute(index):
    os.listxattr('/v/file')
    os.setxattr('/v/file', 'user.%d' % index + 'n' * 200, b'v' * 65536)

def content():
    with open('/v/large', 'rb', buffering=0) as file: return sum(iter(lambda: len(file.read(1 << 20)), 0))

def locks():
    with open('/v/large', 'r+b') as file:
        for index in range(2000): fcntl.lockf(file, fcntl.LOCK_EX, 1, index * 2)
    return 'held'

def remember():
    for index in range(${NAMES}): os.stat('/v/names/%d' % index)
    return 'all'

said('attributes', lambda: tried(500, attribute))
said('absent', lambda: tried(2000, lambda index: os.stat('/v/%05d' % index + 'n' * 250)))
said('locks', locks)
said('content', content)
said('listed', lambda: len(os.listdir('/v/names')))
said('remembered', remember)
print('end', flush=True)
time.sleep(1000)
`;

describe.each(FLAVOURS.filter(({ ownKernel }) => ownKernel))('$name', ({ image: stage1, rootsHolder }) => {
  test('the host remembers no more for a guest than the pod may have of its memory', async () => {
    const volume = [`--volume=v,kind=host,source=${source}`, '--mount=volume=v,target=/v'];
    const pod = await startPod(rkt, [
      ...[`--stage1-path=${stage1}`, ...volume, image, '--memory=64Mi'],
      ...['--exec=/usr/bin/python3', '--', '-c', ATTEMPTS],
    ]);
    pods.push(pod);
    const group = (...files: readonly string[]) => Number(groupFiles(rkt.dir, pod.uuid, ...files)[0]);
    const limit = group('memory.limit_in_bytes', 'memory.max');
    expect(limit).toBeLessThan(LARGE);
    const server = childOf(pod.command.pid, rootsHolder);
    for (const members of groupFiles(rkt.dir, pod.uuid, 'cgroup.procs'))
      expect(members.split('\n')).toContain(String(server));
    await eventually('the app has tried all', () => pod.command.stdout.includes('\nend\n'), 240);
    expect(pod.command.stdout.split('\n')).toEqual([
      // How many of them a file has room for is its file system's to say.
      expect.stringMatching(/^attributes \d+$/),
      ...['absent 2000', 'locks held', `content ${LARGE}`, `listed ${NAMES}`, 'remembered EMFILE', 'end', ''],
    ]);
    // What the server has read counts for the pod: it came to its limit, and no further.
    const peak = group('memory.max_usage_in_bytes', 'memory.peak');
    expect(peak).toBeGreaterThan(limit - 64 * MIB);
    expect(peak).toBeLessThanOrEqual(limit);
    await rkt.output(['stop', pod.uuid]);
  });
});
