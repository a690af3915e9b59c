import { describe, expect, it } from 'vitest';
import { close, writeAll } from '../../../src/native/files.ts';
import { Loop } from '../../../src/native/loop.ts';
import { socketPair } from '../../../src/native/sockets.ts';
import { KeptQemu } from '../../../stage1-kvm/spare-connection.ts';
import { hear, readAnswer, say, tell } from '../../../stage1-kvm/spare-protocol.ts';
import { nativeScratch } from '../../support/native-scratch.ts';

nativeScratch();

/** The keeper is in the hands of the test. */
function kept() {
  const [keeper, taker] = socketPair('seqpacket');
  return { keeper, qemu: new KeptQemu(4711, taker) };
}

/** How it ends, in the words of whoever watches it. */
function endOf(qemu: KeptQemu): unknown[] {
  const loop = new Loop();
  const log: unknown[] = [];
  qemu.watch(loop, (exit) => {
    log.push(exit);
    loop.stop();
  });
  loop.after(50, () => loop.stop());
  loop.run();
  return log;
}

const EXIT = { kind: 'exited', code: 0 } as const;
const KILLED = { kind: 'signalled', signal: 9, dumped: false };

describe('the QEMU of a spare', () => {
  it('is asked to come, with the network namespace, and has come when its keeper says so', () => {
    const { keeper, qemu } = kept();
    qemu.take(['/pod/cgroup.procs']);
    const received = hear(keeper, 0);
    expect(received && readAnswer(received)).toEqual({ type: 'take', groups: ['/pod/cgroup.procs'] });
    expect(received?.fds).toHaveLength(1);
    for (const fd of received?.fds ?? []) close(fd);
    say(keeper, { type: 'taken', problem: null });
    qemu.settle();
    // Nobody is asked again.
    close(keeper);
    qemu.settle();
    expect(endOf(qemu)).toEqual([KILLED]);
  });

  it('has not ended because its keeper says that it has come', () => {
    const { keeper, qemu } = kept();
    say(keeper, { type: 'taken', problem: null });
    const loop = new Loop();
    qemu.watch(loop, () => expect.unreachable('it has not ended'));
    loop.after(50, () => loop.stop());
    loop.run();
    qemu.settle();
    close(keeper);
  });

  it.each([
    ['cannot', { type: 'taken', problem: 'the tap rkt-tap0 has gone' } as const, 'the tap rkt-tap0 has gone'],
    ['has ended', { type: 'ended', exit: EXIT } as const, 'the keeper of the spare machine has gone'],
  ])('does not come where it %s', (_, word, problem) => {
    const { keeper, qemu } = kept();
    say(keeper, word);
    close(keeper);
    expect(() => qemu.settle()).toThrow(problem);
    qemu.abandon();
  });

  it('does not come where the keeper talks rubbish, or does not read what it is told', () => {
    const { keeper, qemu } = kept();
    qemu.take([]);
    writeAll(keeper, Buffer.from('rubbish'));
    expect(() => qemu.settle()).toThrow('the keeper of the spare machine has gone');
    close(keeper);
    expect(() => qemu.settle()).toThrow('the keeper of the spare machine has gone');
    expect(() => qemu.take([])).toThrow('EPIPE');
    qemu.abandon();
  });

  it('ends as its keeper says, once that has gone', () => {
    const { keeper, qemu } = kept();
    qemu.kill();
    expect(hear(keeper, 0)).toBeDefined();
    tell(keeper, { type: 'ended', exit: EXIT });
    close(keeper);
    expect(endOf(qemu)).toEqual([EXIT]);
  });

  it('ends with a keeper that has no time for a word', () => {
    const { keeper, qemu } = kept();
    close(keeper);
    expect(endOf(qemu)).toEqual([KILLED]);
  });
});
