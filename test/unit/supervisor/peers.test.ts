import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { formatNetInfo, type NetInfo } from '../../../src/abi/net-info.ts';
import { touch, watchTouches } from '../../../src/native/directory-watch.ts';
import { SystemError } from '../../../src/native/errors.ts';
import { Loop } from '../../../src/native/loop.ts';
import { Peers } from '../../../src/supervisor/peers.ts';
import { nativeScratch } from '../../support/native-scratch.ts';

nativeScratch();

const uuid = (digit: number) => `${String(digit).repeat(8)}-1111-4111-8111-111111111111`;

function network(ip: string, netName = 'blue'): NetInfo {
  const addresses = [`${ip}/24`];
  return { netName, netConf: '', pluginPath: '', ifName: 'eth0', ip, args: '', mask: '', addresses };
}

const EMFILE = 24;

let pods = '';
let holders: ChildProcess[] = [];

beforeEach(() => {
  pods = mkdtempSync(join(tmpdir(), 'rkt-peers-'));
});

afterEach(async () => {
  await Promise.all(holders.map(end));
  holders = [];
  rmSync(pods, { recursive: true });
});

interface OtherPod {
  readonly hostname: string;
  readonly networks?: readonly NetInfo[];
  readonly netInfo?: string;
  readonly runs?: boolean;
}

/** A pod's directory; one that runs is locked by the process whose number it has. */
async function addPod(digit: number, { hostname, networks = [], netInfo, runs = true }: OtherPod) {
  const directory = join(pods, uuid(digit));
  mkdirSync(directory);
  const holder = spawn('flock', ['--exclusive', '--no-fork', directory, runs ? 'cat' : 'true'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  holders.push(holder);
  if (runs) {
    // It echoes what it is told once it has the lock.
    holder.stdin?.write('locked\n');
    if (holder.stdout !== null) await once(holder.stdout, 'data');
  } else {
    await once(holder, 'exit');
  }
  writeFileSync(join(directory, 'pid'), `${holder.pid}\n`);
  writeFileSync(join(directory, 'hostname'), `${hostname}\n`);
  writeFileSync(join(directory, 'net-info.json'), netInfo ?? formatNetInfo(networks));
  return holder;
}

async function end(holder: ChildProcess): Promise<void> {
  if (holder.exitCode !== null || holder.signalCode !== null) return;
  const gone = once(holder, 'exit');
  holder.kill('SIGKILL');
  await gone;
}

/** Peers of a pod on the network blue. `next` runs the loop until they tell of a change. */
function peersOn(loop: Loop, watch = watchTouches) {
  const warnings: string[] = [];
  const own = { uuid: uuid(9), name: undefined, hostname: 'self', networks: [network('10.0.0.9')] };
  const peers = new Peers(loop, { warn: (message) => warnings.push(message) }, { pods, own, watch }, () =>
    loop.stop(1),
  );
  const next = () => {
    const guard = loop.after(20_000, () => loop.stop(99));
    expect(loop.run()).toBe(1);
    guard.cancel();
    return peers.names;
  };
  return { peers, warnings, next };
}

describe('the pods that share a network', () => {
  it('are found when one comes to it, if they run', async () => {
    await addPod(1, { hostname: 'web', networks: [network('10.0.0.1'), network('10.1.0.1', 'red')] });
    await addPod(2, { hostname: 'red', networks: [network('10.1.0.2', 'red')] });
    await addPod(3, { hostname: 'ended', networks: [network('10.0.0.3')], runs: false });
    mkdirSync(join(pods, 'no-pod'));
    mkdirSync(join(pods, uuid(4)));
    using loop = new Loop();
    const { peers, warnings } = peersOn(loop);
    expect(peers.names).toBe('10.0.0.1\tweb\n');
    expect(warnings).toEqual([]);
    peers.close();
  });

  it('are found when they come later and say so, and missed when their process ends, however it does', async () => {
    using loop = new Loop();
    const { peers, next } = peersOn(loop);
    expect(peers.names).toBe('');
    const web = await addPod(1, { hostname: 'web', networks: [network('10.0.0.1')] });
    touch(pods);
    expect(next()).toBe('10.0.0.1\tweb\n');
    await addPod(2, { hostname: 'db', networks: [network('10.0.0.2')] });
    touch(pods);
    expect(next()).toBe('10.0.0.1\tweb\n10.0.0.2\tdb\n');
    await end(web);
    expect(next()).toBe('10.0.0.2\tdb\n');
    peers.close();
  });

  it('see each other: whoever looks is seen', async () => {
    await addPod(1, { hostname: 'web', networks: [network('10.0.0.1')] });
    using loop = new Loop();
    const first = peersOn(loop);
    let seen = 0;
    const own = { uuid: uuid(8), name: undefined, hostname: 'other', networks: [network('10.0.0.8')] };
    await addPod(8, own);
    const second = new Peers(loop, { warn: () => {} }, { pods, own }, () => {
      seen += 1;
    });
    expect(first.next()).toBe('10.0.0.1\tweb\n10.0.0.8\tother\n');
    // The first one has a lock of its own in no directory: it is no pod that runs.
    expect([seen, second.names]).toEqual([0, '10.0.0.1\tweb\n']);
    first.peers.close();
    second.close();
  });

  it('are known but for one whose files are spoilt, of which it is said once', async () => {
    await addPod(1, { hostname: 'web', networks: [network('10.0.0.1')] });
    await addPod(2, { hostname: 'bad', netInfo: '[{"netName": 1}]' });
    using loop = new Loop();
    const { peers, warnings, next } = peersOn(loop);
    await addPod(3, { hostname: 'db', networks: [network('10.0.0.3')] });
    touch(pods);
    expect(next()).toBe('10.0.0.1\tweb\n10.0.0.3\tdb\n');
    expect(warnings).toEqual([expect.stringMatching(`^pod ${uuid(2)} is not found by its name: .*netName`)]);
    peers.close();
  });

  it('are found where the kernel has no watch left, too', async () => {
    using loop = new Loop();
    const { peers, next } = peersOn(loop, () => {
      throw new SystemError('inotify_init1', EMFILE);
    });
    const web = await addPod(1, { hostname: 'web', networks: [network('10.0.0.1')] });
    expect(next()).toBe('10.0.0.1\tweb\n');
    await end(web);
    expect(next()).toBe('');
    peers.close();
  });
});
