import { describe, expect, it } from 'vitest';
import { reportOf } from '../support/native-program.ts';

describe('a compiled program', () => {
  it('starts others as planned, and says which step failed', async () => {
    expect(await reportOf('processes')).toEqual({
      pid: true,
      code: 7,
      output: 'out\nerr\n',
      environment: 'A=1\nB=grüße\n',
      directory: '/usr\n',
      limits: '64\n128\n',
      chroot: 'exec: ENOENT',
      written: '500\n',
      session: 0,
      dropped: [
        'Uid: 1000 1000 1000 1000',
        'Gid: 1000 1000 1000 1000',
        'Groups: 100 200',
        'SigBlk: 0000000000000000',
        'SigIgn: 0000000000000000',
        'CapEff: 0000000000000020',
        'CapBnd: 0000000000002020',
        'CapAmb: 0000000000000020',
        'NoNewPrivs: 1',
        'Seccomp: 0',
      ],
      seccomp: 'refused',
      missing: 'exec: ENOENT',
      notExecutable: 'exec: EACCES',
      wrongFd: 'fds: EBADF',
      wrongDirectory: 'directory: ENOENT',
      wrongCall: 'mount the root: ENOENT',
      nul: 'exec: EINVAL',
      zombies: 'none',
      deathOfParent: true,
      deathDuringStart: true,
      // 6 is the directory that the shell lists.
      placedFds: 'true b a 0 1 2 3 4 5 6',
      waits: [{ kind: 'signalled', signal: 15, dumped: false }, 'none', 137, 'none'],
      cleanSignals: ['SigBlk: 0000000000000000', 'SigIgn: 0000000000000000'],
    });
  });
});
