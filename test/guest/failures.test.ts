import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import type { ProcessPlan } from '../../src/abi/boot-plan.ts';
import { guestSuite } from './guest-suite.ts';
import { appPlan, bootPlan, processPlan } from './pod-fixture.ts';

const suite = guestSuite();

/** An ELF header for a machine, with a loader or without; nothing that could run. */
function elf(machine: number, loader: string): Buffer {
  const file = Buffer.alloc(512);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  file.writeUInt16LE(2, 16);
  file.writeUInt16LE(machine, 18);
  file.writeUInt32LE(1, 20);
  file.writeBigUInt64LE(64n, 32);
  file.writeUInt16LE(64, 52);
  file.writeUInt16LE(56, 54);
  file.writeUInt16LE(1, 56);
  file.writeUInt32LE(3, 64);
  file.writeBigUInt64LE(256n, 72);
  file.writeBigUInt64LE(BigInt(loader.length + 1), 96);
  file.write(loader, 256);
  return file;
}

beforeAll(() => {
  const bin = join(suite.root(), 'bin');
  const program = (name: string, content: string | Buffer, mode = 0o755) =>
    writeFileSync(join(bin, name), content, { mode });
  program('plain', 'echo not executable', 0o644);
  program('orphan', '#!/usr/bin/python9 -u\nprint()\n');
  program('loaderless', elf(62, '/lib64/ld-nowhere.so.2'));
  program('foreign', elf(183, '/lib/ld-linux-aarch64.so.1'));
  program('words', 'just words, no interpreter\n');
  program('empty', '');
  mkdirSync(join(bin, 'folder'));
  symlinkSync('/nowhere', join(bin, 'dangling'));
  chmodSync(join(bin, 'plain'), 0o644);
});

const wrong: readonly [string, string, RegExp][] = [
  ['not in PATH', 'absent', /^absent: not found in PATH \(\/bin\)$/],
  ['missing', '/bin/absent', /^\/bin\/absent: no such file in the image$/],
  ['a link to nothing', '/bin/dangling', /^\/bin\/dangling: is a link that leads to nothing in the image$/],
  ['not executable', '/bin/plain', /^\/bin\/plain: is not executable$/],
  ['not executable, in PATH', 'plain', /^\/bin\/plain: is not executable$/],
  ['a directory', '/bin/folder', /^\/bin\/folder: is a directory$/],
  [
    'a script without its interpreter',
    '/bin/orphan',
    /its interpreter \/usr\/bin\/python9 .* not in the image$/,
  ],
  ['a program without its loader', 'loaderless', /its loader \/lib64\/ld-nowhere.so.2 is not in the image$/],
  ['for another machine', 'foreign', /is a program for aarch64, not for x86-64$/],
  ['no program at all', 'words', /is neither a program nor a script/],
  ['empty', 'empty', /is empty/],
];

test.each(wrong)('a program that is %s', async (_, program, message) => {
  await using host = suite.start();
  await host.boot(bootPlan([appPlan('app', suite.root(), processPlan([program]))]));
  const failed = await host.next('failed', 'app');
  expect(failed.step).toBe('exec');
  expect(failed.message).toMatch(message);
  expect((await host.streams.whole(11)).length).toBe(0);
  expect(await host.finish()).toBe(0);
});

test('a relative path counts from the working directory', async () => {
  await using host = suite.start();
  const process = processPlan(['./sh', '-c', 'echo here'], { workingDirectory: '/bin' });
  await host.boot(bootPlan([appPlan('app', suite.root(), process)]));
  expect((await host.streams.whole(11)).toString()).toBe('here\n');
  await host.finish();
});

const steps: readonly [string, Partial<ProcessPlan>, RegExp][] = [
  ['working-directory', { workingDirectory: '/absent' }, /ENOENT.*\/absent/],
  ['rlimits', { rlimits: [{ resource: 7, soft: 10, hard: 5 }] }, /the limit nofile could not be set: EINVAL/],
  ['rlimits', { oomScoreAdj: 100_000 }, /oom_score_adj 100000 could not be set: EINVAL/],
  ['seccomp', { seccomp: Buffer.alloc(8).toString('base64') }, /EINVAL/],
  ['seccomp', { seccomp: '!' }, /no base64/],
];

test.each(steps)('a failure of the step %s is told by its name', async (step, changes, message) => {
  await using host = suite.start();
  await host.boot(bootPlan([appPlan('app', suite.root(), processPlan(['true'], changes))]));
  expect(await host.next('failed', 'app')).toMatchObject({ step, message: expect.stringMatching(message) });
  expect(await host.finish()).toBe(0);
});

test('a mount that fails names its target', async () => {
  await using host = suite.start();
  const mounts = [
    { kind: 'filesystem', type: 'tmpfs', target: '/data', flags: [], data: 'size=lots' },
  ] as const;
  await host.boot(bootPlan([appPlan('app', suite.root(), processPlan(['true']), { mounts })]));
  expect(await host.next('failed', 'app')).toMatchObject({
    step: 'mount',
    message: expect.stringMatching(/EINVAL.*\/data/),
  });
  await host.finish();
});
