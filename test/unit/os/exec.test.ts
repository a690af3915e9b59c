import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const exec = fileURLToPath(new URL('../../../src/os/exec.ts', import.meta.url));

test('becomes a program of the same pid, with default signals and only the fds it is given', () => {
  const program = `
    import { openSync } from 'node:fs';
    import { replaceProcess } from ${JSON.stringify(exec)};
    const kept = openSync('/etc/passwd');
    openSync('/etc/group');
    process.stdout.write(process.pid + '\\n');
    replaceProcess({
      path: '/bin/sh',
      argv: ['story', '-c', 'echo $$ $0 $WORD; grep SigIgn /proc/self/status; readlink /proc/$$/fd/* | grep ^/etc'],
      environment: ['WORD=here', 'PATH=/usr/bin:/bin'],
      fds: [kept],
    });`;
  const result = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], {
    encoding: 'utf8',
  });
  const [pid, story, ignored, ...files] = result.stdout.trim().split('\n');
  expect(result.stderr).toBe('');
  expect(story).toBe(`${pid} story here`);
  expect(ignored).toMatch(/^SigIgn:\s0+$/);
  expect(files).toEqual(['/etc/passwd']);
});
