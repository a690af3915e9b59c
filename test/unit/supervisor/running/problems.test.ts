import { describe, expect, it } from 'vitest';
import { explain } from '../../../../src/supervisor/running/problems.ts';

/** As the supervisor's own errors, and those of what it starts. */
const failure = (code: string, message: string) => Object.assign(new Error(message), { code });

const lost = failure('channel-lost', 'control channel: the channel was closed');
const broken = failure('guest-broken', 'the guest sent rubbish');
const gaveUp = failure('guest-failed', 'no root');
const ended = failure('vessel-failed', 'the guest powered itself off');
const share = failure('share-ended', 'virtiofsd exited with code 0');
const killed = failure('vessel-failed', 'qemu was killed by SIGKILL');
const crashed = failure('vessel-failed', 'the guest crashed');

describe('explain', () => {
  it.each([
    ['rubbish, after which the guest loses its channel and ends', [broken, ended], broken],
    ['a machine that ends takes its channels with it', [lost, crashed], crashed],
    [
      'a QEMU that is gone, whose share ends in order and may be noticed first',
      [lost, share, killed],
      killed,
    ],
    ['a share that ends by itself', [lost, share], share],
    ['words of the guest', [lost, ended, gaveUp], gaveUp],
    ['of equals the first', [crashed, ended], crashed],
    ['something unexpected', [new Error('EIO'), lost], lost],
  ])('%s', (_, problems, expected) => {
    expect(explain(problems)).toBe(expected.message);
  });
});
