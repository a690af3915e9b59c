import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { readRecording, wasKilled } from '../../support/crash/system-calls.ts';

const directory = mkdtempSync(join(tmpdir(), 'rkt-recording-'));
const log = join(directory, 'log');
afterAll(() => rmSync(directory, { recursive: true }));

const UUID = '43b1fe2c-47be-4d32-9493-85259e463ca0';
const pods = '/data/pods';

function recording(...lines: readonly string[]): string {
  writeFileSync(log, `${lines.join('\n')}\n`);
  return log;
}

test('each call is known by its number among those of its name, and by where the pod was', () => {
  const points = readRecording(
    recording(
      'execve("/bin/rkt", ["rkt"], 0x7ff /* 3 vars */) = 0',
      'execve("/usr/local/bin/node", ["node"], 0x7ff) = -1 ENOENT (No such file or directory)',
      'execve("/usr/bin/node", ["node"], 0x7ff /* 3 vars */) = 0',
      'clone3({flags=CLONE_VM|CLONE_THREAD, child_tid=0x1}, 88) = 7',
      `mkdir("${pods}/embryo", 0700) = -1 EEXIST (File exists)`,
      `mkdir("${pods}/embryo/${UUID}", 0777) = 0`,
      `rename("${pods}/embryo/${UUID}", "${pods}/prepare/${UUID}") = 0`,
      `rename("${pods}/prepare/${UUID}/pod.tmp", "${pods}/prepare/${UUID}/pod") = 0`,
      `rename("${pods}/prepare/${UUID}", "${pods}/prepared/${UUID}") = 0`,
      'fsync(20) = 0',
      '+++ exited with 0 +++',
    ),
    'none',
  );
  expect(points.map(({ call, nth, moment }) => `${call} ${nth} ${moment}`)).toEqual([
    'execve 2 none',
    'mkdir 1 none',
    'mkdir 2 none',
    'rename 1 embryo',
    'rename 2 prepare',
    'rename 3 prepare',
    'fsync 1 prepared',
  ]);
});

test('a pod is gone when its directory is removed, not when something in it is', () => {
  const points = readRecording(
    recording(
      `rename("${pods}/run/${UUID}", "${pods}/exited-garbage/${UUID}") = 0`,
      'unlinkat(5, "upper", AT_REMOVEDIR) = 0',
      `unlinkat(4, "${UUID}", AT_REMOVEDIR) = -1 ENOTEMPTY (Directory not empty)`,
      `unlinkat(4, "${UUID}", AT_REMOVEDIR) = 0`,
      'fsync(4) = 0',
    ),
    'run',
  );
  expect(points.map(({ moment }) => moment)).toEqual([
    'run',
    ...['exited-garbage', 'exited-garbage', 'exited-garbage'],
    'gone',
  ]);
});

test('a run was killed when it says so itself', () => {
  expect(wasKilled(recording('mkdir("/a", 0777) = ?', '+++ killed by SIGKILL +++'))).toBe(true);
  expect(wasKilled(recording('kill(7, SIGKILL) = 0', '+++ exited with 137 +++'))).toBe(false);
});
