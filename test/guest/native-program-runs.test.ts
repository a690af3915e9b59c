import { expect, it } from 'vitest';
import { reportOf } from '../support/native-program.ts';

it('programs on the host’s side run to their end, which what they leave behind does not keep, and no longer than they may', async () => {
  const done = { kind: 'exited', code: 0 };
  expect(await reportOf('program-runs')).toEqual({
    whole: {
      exit: { kind: 'exited', code: 3 },
      output: 'what it reads\n/\n/dev/null\n',
      isCut: false,
      words: 'words',
    },
    late: { output: 'a process', isCut: false, words: 'waits', isEnded: true },
    left: { exit: done, hasLeft: true },
    cut: { exit: done, output: 'xxx', isCut: true, words: '' },
    killed: { kind: 'signalled', signal: 9, dumped: false },
  });
});
