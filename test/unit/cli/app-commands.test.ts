import { CommanderError } from 'commander';
import { expect, test } from 'vitest';
import { APP_COMMANDS } from '../../../src/cli/app.ts';
import { appStatusText } from '../../../src/cli/app-status.ts';
import { CliError } from '../../../src/cli/error.ts';
import { exitCodeFor } from '../../../src/cli/exit-code.ts';

test('three commands fail with 1, as in rkt, unless it is their command line that is wrong', () => {
  const codes = APP_COMMANDS.flatMap((entry) =>
    'failure' in entry && entry.failure !== undefined ? [[entry.name, entry.failure]] : [],
  );
  expect(codes).toEqual([
    ['list', 1],
    ['sandbox', 1],
    ['status', 1],
  ]);
  expect(exitCodeFor(new Error('no such pod'), 1)).toBe(1);
  expect(exitCodeFor(new Error('no such pod'))).toBe(254);
  expect(exitCodeFor(new CliError('usage', 'no UUID given'), 1)).toBe(254);
  expect(exitCodeFor(new CommanderError(1, 'commander.unknownOption', ''), 1)).toBe(254);
  expect(exitCodeFor(new CommanderError(0, 'commander.helpDisplayed', ''), 1)).toBe(0);
});

const imageId = `sha512-${'ab'.repeat(32)}`;

test('of an app only what is known has a line', () => {
  expect(appStatusText({ name: 'web', state: 'created', imageId })).toBe(
    `name=web\nstate=created\nimage_id=${imageId}\n`,
  );
  const ended = {
    name: 'web',
    state: 'exited',
    imageId,
    exitCode: 0,
    mounts: [
      { volume: 'data', target: '/data', source: '/srv/data', readOnly: true },
      { volume: 'cache', target: '/cache', readOnly: false },
    ],
    userLabels: { a: '1', b: '\u001b[2J' },
  } as const;
  const times = { created: 1_795_748_435_984_000_000n, finished: 1_795_748_436_000_000_000n };
  expect(
    appStatusText({ ...ended, ...times })
      .split('\n')
      .slice(3),
  ).toEqual([
    'created_at=2026-11-27 03:00:35.984 +0000 UTC',
    'finished_at=2026-11-27 03:00:36 +0000 UTC',
    'exit_code=0',
    'mounts=/srv/data:/data:(read_only:true),:/cache:(read_only:false)',
    'user_labels=a:1,b:\\u001b[2J',
    '',
  ]);
});
