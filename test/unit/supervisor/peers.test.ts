import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { formatNetInfo, type NetInfo } from '../../../src/abi/net-info.ts';
import { Loop } from '../../../src/native/loop.ts';
import { type Bell, Peers } from '../../../src/supervisor/peers.ts';
import { nativeScratch } from '../../support/native-scratch.ts';

nativeScratch();

const uuid = (digit: number) => `${String(digit).repeat(8)}-1111-4111-8111-111111111111`;

function network(ip: string, netName = 'blue'): NetInfo {
  const addresses = [`${ip}/24`];
  return { netName, netConf: '', pluginPath: '', ifName: 'eth0', ip, args: '', mask: '', addresses };
}

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

/** In a test the bell is no signal: of Node's threads any could take it. */
class TestBell implements Bell {
  /** The processes that it was rung at. */
  readonly rung: number[] = [];
  #heard: (() => void) | undefined;

  listen(_: Loop, heard: () => void) {
    this.#heard = heard;
    return {
      update: () => {},
      close: () => {
        this.#heard = undefined;
      },
    };
  }

  ring(process: number) {
    const [, pid] = /^Pid:\s+(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${process}`, 'utf8')) ?? [];
    this.rung.push(Number(pid));
  }

  sound() {
    this.#heard?.();
  }
}

/** Peers of a pod on the network blue. `next` runs the loop until they tell of a change. */
function peersOn(loop: Loop) {
  const warnings: string[] = [];
  const bell = new TestBell();
  const own = { uuid: uuid(9), name: undefined, hostname: 'self', networks: [network('10.0.0.9')] };
  const place = { pods, own, bell };
  const peers = new Peers(loop, { warn: (message) => warnings.push(message) }, place, () => loop.stop(1));
  const next = () => {
    const guard = loop.after(20_000, () => loop.stop(99));
    expect(loop.run()).toBe(1);
    guard.cancel();
    return peers.names;
  };
  return { peers, warnings, bell, next };
}

describe('the pods that share a network', () => {
  it('are found when one comes to it, if they run, and are told of it', async () => {
    const web = await addPod(1, {
      hostname: 'web',
      networks: [network('10.0.0.1'), network('10.1.0.1', 'red')],
    });
    const red = await addPod(2, { hostname: 'red', networks: [network('10.1.0.2', 'red')] });
    await addPod(3, { hostname: 'ended', networks: [network('10.0.0.3')], runs: false });
    mkdirSync(join(pods, 'no-pod'));
    mkdirSync(join(pods, uuid(4)));
    using loop = new Loop();
    const { peers, warnings, bell } = peersOn(loop);
    expect(peers.names).toBe('10.0.0.1\tweb\n');
    expect(warnings).toEqual([]);
    expect(bell.rung.sort()).toEqual([web.pid, red.pid].sort());
    peers.close();
  });

  it('are found when they come later and ring, and missed when their process ends, however it does', async () => {
    using loop = new Loop();
    const { peers, bell, next } = peersOn(loop);
    expect(peers.names).toBe('');
    const web = await addPod(1, { hostname: 'web', networks: [network('10.0.0.1')] });
    bell.sound();
    expect(next()).toBe('10.0.0.1\tweb\n');
    await addPod(2, { hostname: 'db', networks: [network('10.0.0.2')] });
    bell.sound();
    expect(next()).toBe('10.0.0.1\tweb\n10.0.0.2\tdb\n');
    await end(web);
    expect(next()).toBe('10.0.0.2\tdb\n');
    peers.close();
  });

  it('are told when one withdraws, and forget it before its process has ended', async () => {
    const web = await addPod(1, { hostname: 'web', networks: [network('10.0.0.1')] });
    using loop = new Loop();
    const { peers, bell, next } = peersOn(loop);
    rmSync(join(pods, uuid(1), 'hostname'));
    bell.sound();
    expect(next()).toBe('');
    await addPod(2, { hostname: 'db', networks: [network('10.0.0.2')] });
    bell.sound();
    expect(next()).toBe('10.0.0.2\tdb\n');
    expect(web.exitCode).toBeNull();
    bell.rung.length = 0;
    peers.close();
    expect(bell.rung).toEqual([holders.at(-1)?.pid]);
  });

  it('are known but for one whose files are spoilt, of which it is said once', async () => {
    await addPod(1, { hostname: 'web', networks: [network('10.0.0.1')] });
    await addPod(2, { hostname: 'bad', netInfo: '[{"netName": 1}]' });
    using loop = new Loop();
    const { peers, warnings, bell, next } = peersOn(loop);
    await addPod(3, { hostname: 'db', networks: [network('10.0.0.3')] });
    bell.sound();
    expect(next()).toBe('10.0.0.1\tweb\n10.0.0.3\tdb\n');
    expect(warnings).toEqual([expect.stringMatching(`^pod ${uuid(2)} is not found by its name: .*netName`)]);
    peers.close();
  });
});
