import { describe, expect, it } from 'vitest';
import { SupervisorError } from '../../../src/supervisor/error.ts';
import { KvmError } from '../../../stage1-kvm/error.ts';
import { explain } from '../../../stage1-kvm/problems.ts';

const lost = new SupervisorError('channel-lost', 'control channel: the channel was closed');
const broken = new SupervisorError('guest-broken', 'the guest sent rubbish');
const gaveUp = new SupervisorError('guest-failed', 'no root');
const ended = new KvmError('machine-failed', 'the guest powered itself off');
const share = new KvmError('share-ended', 'virtiofsd exited with code 0');
const killed = new KvmError('machine-failed', 'qemu was killed by SIGKILL');
const crashed = new KvmError('machine-failed', 'the guest crashed');

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
