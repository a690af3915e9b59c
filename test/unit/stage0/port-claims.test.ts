import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parsePublishedPorts } from '../../../src/abi/published-ports.ts';
import { ensurePodsDirectory } from '../../../src/pod/directory.ts';
import { createPod, type Pod } from '../../../src/pod/pod.ts';
import { type Host, openHost } from '../../../src/stage0/host.ts';
import { claimPorts } from '../../../src/stage0/port-claims.ts';
import { runningPod } from './scripted-stage1.ts';

let data = '';
let host: Host;
let made: Pod[] = [];
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'rkt-ports-'));
  ensurePodsDirectory(data);
  const configuration = { systemConfig: data, localConfig: data };
  host = openHost({ dataDirectory: data, ...configuration, insecure: new Set(), debug: false });
  made = [];
});
afterEach(() => {
  for (const pod of made) pod.lock.release();
  rmSync(data, { recursive: true });
});

/** Far from what programs of this machine may have. */
const PORT = 4711;

const port = (hostPort: number, more: object = {}, count = 1) => ({
  name: 'www',
  hostPort,
  podPort: { name: 'www', protocol: 'tcp', port: 80, count, socketActivated: false },
  ...more,
});

/** A pod of ours that wants these ports. */
function podOf(...ports: object[]): Pod {
  const pod = createPod(join(data, 'pods'));
  return wanting(pod, ports);
}

function wanting(pod: Pod, ports: readonly object[]): Pod {
  made.push(pod);
  const manifest = { acKind: 'PodManifest', acVersion: '0.8.11', apps: [], ports };
  writeFileSync(join(pod.path, 'pod'), JSON.stringify(manifest));
  return pod;
}

const claim = (pod: Pod, net = 'default') => claimPorts(host, pod, net, undefined);
const claimed = (pod: Pod) => parsePublishedPorts(readFileSync(join(pod.path, 'ports.json'), 'utf8'));

test('a pod without ports claims nothing, on whatever network', async () => {
  const pod = podOf();
  await claim(pod, 'none');
  expect(() => claimed(pod)).toThrow('ENOENT');
});

test('ports of a pod without a network are refused', async () => {
  for (const net of ['none', 'host'])
    await expect(claim(podOf(port(PORT)), net)).rejects.toThrow(
      `ports of the pod manifest do not work with '${net}' networking`,
    );
});

test('a port that is held is refused, and its holder named', async () => {
  const holder = podOf(port(PORT, { hostIP: '10.0.0.1' }, 3));
  await claim(holder);
  await expect(claim(podOf(port(PORT + 2)))).rejects.toMatchObject({
    code: 'port-taken',
    message: `tcp port ${PORT + 2} is taken by pod "${holder.uuid}" (preparing)`,
  });
  // Of another address, beside it, and of another protocol.
  const podPort = { ...port(PORT).podPort, protocol: 'udp' };
  for (const other of [port(PORT, { hostIP: '10.0.0.2' }), port(PORT + 3), port(PORT, { podPort })])
    await claim(podOf(other));
  writeFileSync(join(holder.path, 'name'), 'front\n');
  holder.move('run');
  await expect(claim(podOf(port(PORT + 1)))).rejects.toThrow(
    `tcp port ${PORT + 1} is taken by pod "front" "${holder.uuid}" (running)`,
  );
});

test('a pod that has let go of its lock holds nothing', async () => {
  const holder = podOf(port(PORT));
  await claim(holder);
  holder.lock.release();
  const next = podOf(port(PORT));
  await claim(next);
  expect(claimed(next)).toEqual([{ name: 'www', protocol: 'tcp', hostPort: PORT, podPort: 80, count: 1 }]);
});

test('what a power cut has left empty claims nothing; of whose ports cannot be read is told', async () => {
  const other = podOf(port(PORT));
  await claim(other);
  other.lock.release();
  writeFileSync(join(other.path, 'ports.json'), '');
  await claim(podOf(port(PORT)));
  writeFileSync(join(other.path, 'ports.json'), '{');
  await expect(claim(podOf(port(PORT + 1)))).rejects.toMatchObject({
    code: 'bad-tree',
    message: expect.stringContaining(`pod "${other.uuid}": ports.json: `),
  });
});

test('any free ports are none that another pod has, or had, or that is asked for beside them', async () => {
  const holder = podOf(...Array.from({ length: 50 }, () => port(0, {}, 3)));
  await claim(holder);
  const taken = claimed(holder).flatMap(({ hostPort }) => [hostPort, hostPort + 1, hostPort + 2]);
  expect(new Set(taken).size).toBe(150);
  expect(taken.every((number) => number >= 10_000)).toBe(true);
});

describe('of a pod that was killed', () => {
  const killed = async (gc: string | undefined) => {
    const pod = runningPod(join(data, 'pods'), 'gc', gc);
    wanting(pod, [port(PORT)]);
    await claim(pod);
    mkdirSync(join(pod.path, 'net'));
    for (const file of ['lock', '00-default.json']) writeFileSync(join(pod.path, 'net', file), '{}');
    pod.lock.release();
    return pod;
  };

  test('what still leads there is taken away before another has the port', async () => {
    const pod = await killed('echo "$@" > called; rm net/*.json');
    await claim(podOf(port(PORT + 1)));
    expect(() => readFileSync(join(pod.path, 'called'))).toThrow('ENOENT');
    await claim(podOf(port(PORT)));
    expect(readFileSync(join(pod.path, 'called'), 'utf8')).toContain(pod.uuid);
  });

  test.each([
    ['echo "no plugin"; exit 1', 'no plugin'],
    ['exit 0', 'net'],
    [undefined, 'net'],
  ])('it stays taken when that fails: %s', async (gc, reason) => {
    const pod = await killed(gc);
    const failure = await claim(podOf(port(PORT))).catch((error) => error);
    expect(failure).toMatchObject({ code: 'port-taken' });
    expect(`${failure.message} ${failure.cause?.message}`).toContain(reason);
    expect(failure.message).toContain(`tcp port ${PORT} still leads to pod "${pod.uuid}", which has ended`);
  });
});

test('a port that a program listens to is refused', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no address');
  try {
    await expect(claim(podOf(port(address.port)))).rejects.toThrow(
      `tcp port ${address.port} is taken: a program of the host has tcp port 127.0.0.1:${address.port}`,
    );
    await claim(podOf(port(address.port, { hostIP: '10.0.0.1' })));
  } finally {
    server.close();
  }
});
