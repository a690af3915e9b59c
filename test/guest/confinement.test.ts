import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { ProcessPlan } from '../../src/abi/boot-plan.ts';
import { guestSuite } from './guest-suite.ts';
import { appPlan, bootPlan, processPlan, shell } from './pod-fixture.ts';

const suite = guestSuite();

/** What the app's script says on stdout. */
function said(script: string, changes: Partial<ProcessPlan> = {}): Promise<string> {
  return outputOf(shell(script, changes));
}

async function outputOf(process: ProcessPlan): Promise<string> {
  await using host = suite.start();
  await host.boot(bootPlan([appPlan('app', suite.root(), process)]));
  const output = (await host.streams.whole(11)).toString();
  await host.finish();
  return output;
}

async function status(changes: Partial<ProcessPlan>): Promise<ReadonlyMap<string, string>> {
  const lines = (await outputOf(processPlan(['cat', '/proc/self/status'], changes))).split('\n');
  return new Map(lines.map((line) => [line.replace(/:.*/, ''), line.replace(/^[^:]*:\s*/, '').trim()]));
}

const NONE = '0000000000000000';
const hex = (capabilities: readonly number[]) =>
  capabilities
    .reduce((all, number) => all | (1n << BigInt(number)), 0n)
    .toString(16)
    .padStart(16, '0');

test('root has the capabilities of the plan, and none to inherit', async () => {
  const capabilities = [0, 5, 10];
  const fields = await status({ capabilities });
  const kept = hex(capabilities);
  expect([fields.get('CapBnd'), fields.get('CapPrm'), fields.get('CapEff')]).toEqual([kept, kept, kept]);
  expect([fields.get('CapInh'), fields.get('CapAmb')]).toEqual([NONE, NONE]);
});

test('another user has them as a bound only', async () => {
  const fields = await status({ uid: 1000, gid: 1001, groups: [5, 60001], capabilities: [0, 5, 10] });
  expect(fields.get('CapBnd')).toBe(hex([0, 5, 10]));
  expect([fields.get('CapPrm'), fields.get('CapEff'), fields.get('CapInh'), fields.get('CapAmb')]).toEqual([
    NONE,
    NONE,
    NONE,
    NONE,
  ]);
  expect(fields.get('Uid')?.split(/\s+/)).toEqual(['1000', '1000', '1000', '1000']);
  expect(fields.get('Gid')?.split(/\s+/)).toEqual(['1001', '1001', '1001', '1001']);
  expect(fields.get('Groups')).toBe('5 60001');
});

test('a plan without groups leaves none', async () => {
  expect((await status({ uid: 1000, gid: 1000 })).get('Groups')).toBe('');
});

test('no-new-privileges, and clean signals', async () => {
  const fields = await status({ noNewPrivileges: true });
  expect(fields.get('NoNewPrivs')).toBe('1');
  expect((await status({})).get('NoNewPrivs')).toBe('0');
  expect([fields.get('SigBlk'), fields.get('SigIgn'), fields.get('SigCgt')]).toEqual([NONE, NONE, NONE]);
});

/** `mkdir` gives EACCES, all else is allowed: load the number; equal? refuse : allow. */
function refuseMkdir(): string {
  const EACCES = 13;
  const instructions = [
    [0x20, 0, 0, 0],
    [0x15, 0, 1, 83],
    [0x06, 0, 0, 0x00050000 | EACCES],
    [0x06, 0, 0, 0x7fff0000],
  ] as const;
  const program = Buffer.alloc(8 * instructions.length);
  instructions.forEach(([code, yes, no, value], at) => {
    program.writeUInt16LE(code, at * 8);
    program.writeUInt8(yes, at * 8 + 2);
    program.writeUInt8(no, at * 8 + 3);
    program.writeUInt32LE(value, at * 8 + 4);
  });
  return program.toString('base64');
}

test.each([
  ['root', {}],
  ['root with no-new-privileges', { noNewPrivileges: true }],
  ['another user', { uid: 1000, gid: 1000 }],
  ['another user with no-new-privileges', { uid: 1000, gid: 1000, noNewPrivileges: true }],
])('the system call filter holds for %s', async (_, changes) => {
  const script = 'grep Seccomp: /proc/self/status; mkdir /tmp/new 2>&1; grep CapPrm /proc/self/status';
  const plan = { ...changes, seccomp: refuseMkdir(), capabilities: [0] };
  const output = await said(script, plan);
  expect(output).toMatch(/Seccomp:\t2\n/);
  expect(output).toMatch(/Permission denied/);
  expect(output).toContain(`CapPrm:\t${'uid' in changes ? NONE : hex([0])}`);
});

test('limits, the kernel without limit included', async () => {
  const output = await said('ulimit -n; ulimit -Hn; ulimit -c', {
    rlimits: [
      { resource: 7, soft: 123, hard: 456 },
      { resource: 4, soft: 0, hard: -1 },
    ],
  });
  expect(output).toBe('123\n456\n0\n');
});

test('the score of the out-of-memory killer', async () => {
  expect(await said('cat /proc/self/oom_score_adj', { oomScoreAdj: 321 })).toBe('321\n');
});

test('environment, arguments, working directory and file mode mask are the plan’s', async () => {
  const output = await said('pwd; umask; env | sort', {
    env: ['PATH=/bin', 'B=two words', 'A=ünïcode'],
    workingDirectory: '/etc',
    umask: 0o027,
  });
  expect(output).toBe('/etc\n0027\nA=ünïcode\nB=two words\nPATH=/bin\nPWD=/etc\nSHLVL=1\n');
});

test('the working directory is entered as the user', async () => {
  const root = suite.root('closed');
  mkdirSync(join(root, 'private'), { mode: 0o700 });
  chmodSync(join(root, 'private'), 0o700);
  await using host = suite.start();
  const process = shell('true', { uid: 1000, gid: 1000, workingDirectory: '/private' });
  await host.boot(bootPlan([appPlan('app', root, process)]));
  expect(await host.next('failed', 'app')).toMatchObject({
    step: 'working-directory',
    message: expect.stringMatching(/EACCES.*\/private/),
  });
  await host.finish();
});

test('no file of PID 1 reaches an app', async () => {
  const files = await outputOf(processPlan(['ls', '/proc/self/fd']));
  const itsOwnDirectory = 3;
  expect(files).toBe(`0\n1\n2\n${itsOwnDirectory}\n`);
});
