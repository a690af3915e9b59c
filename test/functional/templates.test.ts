import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { TEMPLATE, TEMPLATE_DRAFT } from '../../src/abi/templates.ts';
import { PLUGIN_SETS } from '../support/cni-chain.ts';
import { tinyImages } from '../support/images.ts';
import { NetworkSite } from '../support/network-site.ts';
import { useRkt } from '../support/rkt.ts';
import { configureTemplates, noneIsMade, ownTemplates } from '../support/templates.ts';

// Pods that start from a saved machine. Whether one did is in what `run --debug` says; how long it took is measured in bench/.

const { RKT_TEST_SOAK } = process.env;
const RESTORED = RKT_TEST_SOAK === '1' ? 100 : 10;
const AT_ONCE = 5;

const rkt = useRkt();
const scope = join(rkt.dir, 'templates', 'tenant-crew');
let image = '';

beforeAll(async () => {
  image = (await tinyImages()).aci.plain;
  ownTemplates(rkt, { scope: 'tenant', tenant: 'crew' });
  // What a template is for depends on it: tests say when they want disks.
  rkt.configure('vm', { rootfs: 'virtiofs' });
});

async function run(script: string, ...flags: readonly string[]) {
  const args = ['--debug', 'run', '--net=none', ...flags, image, '--exec=/bin/sh', '--', '-c', script];
  const { code, stdout, stderr } = await rkt.run(args);
  return { code, stdout, said: stderr };
}

const keys = async () => (await rkt.output(['template', 'list', '--quiet'])).split('\n').filter(Boolean);

/** For pods without a network. */
async function built(...flags: readonly string[]): Promise<string> {
  return (await rkt.output(['template', 'build', '--interfaces=0', ...flags])).trim();
}

const refusal = async (...args: string[]) => {
  const { code, stderr } = await rkt.run(args);
  expect(code).toBe(254);
  return stderr;
};

test('the first pod leaves a saved machine, and the second starts from it', async () => {
  const first = await run('echo cold');
  expect(first).toMatchObject({ code: 0, stdout: 'cold\n' });
  expect(first.said).toMatch(/cold start: there is no template [0-9a-f]{16} yet/);
  await noneIsMade(rkt);
  const [key] = await keys();
  const second = await run('echo warm; exit 7');
  expect(second).toMatchObject({ code: 7, stdout: 'warm\n' });
  expect(second.said).toContain(`starts from the template ${key}`);
  expect(second.said).not.toContain('cold start');
  // Only root can read what tells of the machines of a tenant's pods.
  for (const path of [scope, join(scope, key ?? ''), join(scope, key ?? '', TEMPLATE.memory)])
    expect(statSync(path).mode & 0o077).toBe(0);
});

test('with another size a pod needs another one, which is made beforehand by command', async () => {
  const key = await built('--memory=64Mi', '--cpu=1');
  const list = await rkt.output(['template', 'list', '--no-legend', '--full']);
  expect(list.split('\n').find((line) => line.startsWith(key))).toMatch(
    /^[0-9a-f]{16}\ttenant-crew\t1\t192MiB\t-\t0\t\d+MiB\t\d{4}-\d\d-\d\d .*\t\d{4}-/,
  );
  const found = JSON.parse(await rkt.output(['template', 'list', '--format=json']));
  expect(found.find((template: { key: string }) => template.key === key)).toMatchObject({
    scope: 'tenant-crew',
    cpus: 1,
    memory_bytes: 192 * 1024 * 1024,
    spares: 0,
  });
  const args = ['--debug', 'run', '--net=none', image, '--memory=64Mi', '--exec=/bin/true'];
  const { code, stderr } = await rkt.run(args);
  expect(code).toBe(0);
  expect(stderr).toContain(`starts from the template ${key}`);
});

describe('a pod whose roots are disks', () => {
  const block = ['--rootfs=block', '--scratch-size=256Mi'];
  const script = 'echo changed > /file; cat /file; df -k / | tail -1; cat /proc/partitions';

  test('starts from one with such disks, and writes to a disk of its own', async () => {
    expect((await run(script, ...block)).said).toContain('cold start: there is no template');
    await noneIsMade(rkt);
    for (const _ of ['one', 'other']) {
      const { code, stdout, said } = await run(`test ! -e /file && ${script}`, ...block);
      expect(code).toBe(0);
      expect(said).toContain('starts from the template');
      expect(said).not.toContain('cold start');
      expect(said).toContain('] qemu started');
      expect(stdout).toMatch(/^changed$/m);
      // What its file system has, and no more.
      const [, kilobytes] = /^overlay +(\d+)/m.exec(stdout) ?? [];
      expect(Number(kilobytes)).toBeLessThan(256 * 1024);
    }
    const list = await rkt.output(['template', 'list', '--no-legend']);
    expect(list).toContain('\t2 disks\t');
  });

  test('what it has changed can be read when it has ended', async () => {
    const saved = join(rkt.dir, 'uuid');
    const { said } = await run(script, ...block, `--uuid-file-save=${saved}`);
    expect(said).toContain('starts from the template');
    const uuid = readFileSync(saved, 'utf8').trim();
    const file = join(rkt.dir, 'copied');
    await rkt.output(['cp', `${uuid}:/file`, file]);
    expect(readFileSync(file, 'utf8')).toBe('changed\n');
  });

  test('is as large as was asked for, whatever the template build was for', async () => {
    await built('--layers=1');
    const { stdout, said } = await run(
      'dd if=/dev/zero of=/big bs=1M count=100 2>&1; df -k / | tail -1',
      '--rootfs=block',
      '--scratch-size=64Mi',
    );
    expect(said).toContain('cold start: there is no template');
    expect(stdout).toContain('No space left on device');
    await noneIsMade(rkt);
  });
});

test('two who want the same at once get one', async () => {
  await rkt.output(['template', 'rm', await built()]);
  const [one, other] = await Promise.all([built(), built()]);
  expect(one).toBe(other);
  expect((await keys()).filter((key) => key === one)).toHaveLength(1);
});

describe('what does not fit is not used', () => {
  const starts = async (what: string) => {
    const { code, stdout, said } = await run('echo up');
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'up\n' });
    expect(said).toMatch(new RegExp(`cold start: .*${what}`));
    await noneIsMade(rkt);
  };
  const change = (key: string, name: keyof typeof TEMPLATE, edit: (path: string) => void) =>
    edit(join(scope, key, TEMPLATE[name]));

  test.each([
    [
      'a state that is none',
      'state',
      (path: string) => writeFileSync(path, Buffer.alloc(statSync(path).size)),
      'could not be restored',
    ],
    ['a memory that is shorter', 'memory', (path: string) => truncateSync(path, 4096), 'another size'],
    ['a memory of zeros', 'memory', zero, 'could not be restored'],
    ['a record that is none', 'record', (path: string) => writeFileSync(path, '{}'), 'is not usable'],
    [
      'another QEMU',
      'record',
      (path: string) =>
        writeFileSync(path, readFileSync(path, 'utf8').replace(/"qemu [^"]*"/, '"qemu other"')),
      'of another kind',
    ],
  ] as const)('%s', async (_, name, edit, expected) => {
    const key = await built();
    change(key, name, edit);
    await starts(expected);
    // What could not be opened has been made anew; what was not restored may have met a host under load.
    if (expected !== 'could not be restored')
      expect((await run('true')).said).toContain(`starts from the template ${key}`);
    await rkt.output(['template', 'rm', key]);
  });

  test("a kernel's parameters of the pod's own", async () => {
    await built();
    const args = ['--debug', 'run', '--net=none', image, '--exec=/bin/cat', '--', '/proc/cmdline'];
    const env = { RKT_HYPERVISOR_EXTRA_KERNEL_PARAMS: 'of=mine' };
    const { stdout, stderr } = await rkt.run(args, { env });
    expect(stdout).toContain('of=mine');
    expect(stderr).toContain('cold start: RKT_HYPERVISOR_EXTRA_KERNEL_PARAMS is set');
  });
});

/** Of the same size, and without content. */
function zero(path: string): void {
  const { size } = statSync(path);
  truncateSync(path, 0);
  truncateSync(path, size);
}

test('no tenant gets a machine of another, and nobody one where they are off', async () => {
  const key = await built();
  try {
    configureTemplates(rkt, { scope: 'tenant', tenant: 'other' });
    expect((await run('true')).said).toContain('cold start: there is no template');
    await noneIsMade(rkt);
    configureTemplates(rkt, { scope: 'off' });
    const env = { RKT_TEMPLATES: scope };
    const args = ['--debug', 'run', '--net=none', image, '--exec=/bin/true'];
    expect((await rkt.run(args, { env })).stderr).not.toMatch(/starts from|cold start/);
    expect(await refusal('template', 'build')).toContain('templates are off');
  } finally {
    configureTemplates(rkt, { scope: 'tenant', tenant: 'crew' });
  }
  expect(await keys()).toContain(key);
});

test('what is removed is gone, and gc removes what nobody has used and what a crash has left', async () => {
  const key = await built();
  const small = await built('--memory=48Mi');
  expect(await rkt.output(['template', 'rm', small])).toBe(`${small}\n`);
  expect(await refusal('template', 'rm', small, key)).toContain(`there is no template "${small}"`);
  expect(await keys()).not.toContain(key);
  const again = await built();
  const draft = join(scope, TEMPLATE_DRAFT, 'template');
  mkdirSync(draft, { recursive: true });
  writeFileSync(join(draft, 'memory'), 'x');
  await rkt.output(['gc']);
  expect(existsSync(join(scope, TEMPLATE_DRAFT))).toBe(false);
  expect(await keys()).toContain(again);
  const lastWeek = Date.now() / 1000 - 8 * 24 * 3600;
  utimesSync(join(scope, again), lastWeek, lastWeek);
  expect(await rkt.output(['gc', '--expire-templates=240h'])).toBe('');
  expect(await rkt.output(['gc'])).toContain(`Garbage collecting template "${again}"`);
  const last = await built();
  expect(await rkt.output(['gc', '--expire-templates=0s'])).toContain(last);
  expect(await keys()).toEqual([]);
  expect(readdirSync(scope)).toEqual(['.lock']);
});

/** A host with one network, and templates of its own. */
async function startSite(): Promise<NetworkSite> {
  const own = PLUGIN_SETS.find(({ of }) => of === 'rkt');
  if (own === undefined) throw new Error('rkt has plugins');
  const site = await NetworkSite.start(own);
  onTestFinished(() => site.close());
  ownTemplates(site.rkt, { scope: 'host' });
  const ipam = { type: 'host-local', ranges: [[{ subnet: '10.60.0.0/24' }]] };
  site.network('10-one.conflist', {
    cniVersion: '1.0.0',
    name: 'one',
    plugins: [{ type: 'bridge', bridge: 'one0', isGateway: true, ipam }],
  });
  return site;
}

// What identifies a pod or has to be a secret: read as the first thing that its first app does.
const IDENTITY = [
  'head -c 32 /dev/urandom | od -An -tx1 | tr -d " \\n"; echo',
  'cat /proc/sys/kernel/random/boot_id /proc/sys/kernel/random/uuid',
  'hostname; cat /sys/class/net/eth0/address; date +%s',
].join('; ');

test(`${RESTORED} machines restored from one are ${RESTORED} different ones`, async () => {
  const site = await startSite();
  await site.rkt.output(['template', 'build', '--interfaces=1']);
  const one = async () => {
    const args = ['--debug', 'run', '--net=one', image, '--exec=/bin/sh', '--', '-c', IDENTITY];
    const before = Math.floor(Date.now() / 1000);
    const { stdout, stderr } = await site.rkt.run(args);
    expect(stderr).toContain('starts from the template');
    expect(stderr).not.toContain('cold start');
    const lines = stdout.trim().split(/\s+/);
    expect(lines).toHaveLength(6);
    expect(Number(lines[5])).toBeGreaterThanOrEqual(before);
    expect(Number(lines[5])).toBeLessThanOrEqual(Date.now() / 1000 + 1);
    return lines.slice(0, 5);
  };
  const pods: string[][] = [];
  while (pods.length < RESTORED) pods.push(...(await Promise.all(Array.from({ length: AT_ONCE }, one))));
  for (const column of ['random bytes', 'boot id', 'uuid', 'hostname', 'MAC'].keys())
    expect(new Set(pods.map((lines) => lines[column])).size).toBe(pods.length);
});

test('a pod of several processors is on its network where the saved machine could not be restored', async () => {
  const site = await startSite();
  const key = (await site.rkt.output(['template', 'build', '--cpu=2'])).trim();
  const state = join(site.rkt.dir, 'templates/host', key, TEMPLATE.state);
  // It ends behind what QEMU takes from it first.
  writeFileSync(state, readFileSync(state).fill(0, statSync(state).size / 2));
  const script = 'ping -c 1 -w 5 10.60.0.1 > /dev/null && ls /sys/class/net/eth0/queues | wc -l';
  const args = ['--debug', 'run', '--net=one', image, '--cpu=2', '--exec=/bin/sh', '--', '-c', script];
  const { code, stdout, stderr } = await site.rkt.run(args);
  expect(stderr).toContain('cold start: a saved machine could not be restored');
  expect({ code, stdout }).toEqual({ code: 0, stdout: '4\n' });
});
