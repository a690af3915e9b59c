import { type ChildProcess, spawn } from 'node:child_process';
import { afterEach, describe, expect, it } from 'vitest';
import { close, writeAll } from '../../../src/native/files.ts';
import { Loop } from '../../../src/native/loop.ts';
import { pollReadable } from '../../../src/native/polling.ts';
import { openProcess } from '../../../src/native/processes.ts';
import { socketPair } from '../../../src/native/sockets.ts';
import { KeptQemu } from '../../../stage1-kvm/spare-connection.ts';
import { hear, readAnswer, say, tell } from '../../../stage1-kvm/spare-protocol.ts';
import { nativeScratch } from '../../support/native-scratch.ts';

nativeScratch();

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

/** The keeper is in the hands of the test; `die` ends it, and a process in the place of QEMU with it. */
function kept() {
  const [keeper, taker] = socketPair('seqpacket');
  const child = spawn('/bin/sleep', ['1000'], { stdio: 'ignore' });
  children.push(child);
  const pid = child.pid ?? -1;
  const process = openProcess(pid);
  const die = () => {
    close(keeper);
    child.kill('SIGKILL');
  };
  return { keeper, die, process, qemu: new KeptQemu(pid, process, taker) };
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
    const { keeper, die, qemu } = kept();
    qemu.take(['/pod/cgroup.procs']);
    const received = hear(keeper, 0);
    expect(received && readAnswer(received)).toEqual({ type: 'take', groups: ['/pod/cgroup.procs'] });
    expect(received?.fds).toHaveLength(1);
    for (const fd of received?.fds ?? []) close(fd);
    say(keeper, { type: 'taken', problem: null });
    qemu.settle();
    // Nobody is asked again.
    die();
    qemu.settle();
    expect(endOf(qemu)).toEqual([KILLED]);
  });

  it('has not ended because its keeper says that it has come', () => {
    const { keeper, die, qemu } = kept();
    say(keeper, { type: 'taken', problem: null });
    const loop = new Loop();
    qemu.watch(loop, () => expect.unreachable('it has not ended'));
    loop.after(50, () => loop.stop());
    loop.run();
    qemu.settle();
    die();
  });

  it.each([
    ['cannot', { type: 'taken', problem: 'the tap rkt-tap0 has gone' } as const, 'the tap rkt-tap0 has gone'],
    ['has ended', { type: 'ended', exit: EXIT } as const, 'the keeper of the spare machine has gone'],
  ])('does not come where it %s', (_, word, problem) => {
    const { keeper, die, qemu } = kept();
    say(keeper, word);
    die();
    expect(() => qemu.settle()).toThrow(problem);
    qemu.abandon();
  });

  it('does not come where the keeper talks rubbish, or does not read what it is told', () => {
    const { keeper, die, qemu } = kept();
    qemu.take([]);
    writeAll(keeper, Buffer.from('rubbish'));
    expect(() => qemu.settle()).toThrow('the keeper of the spare machine has gone');
    die();
    expect(() => qemu.settle()).toThrow('the keeper of the spare machine has gone');
    expect(() => qemu.take([])).toThrow('EPIPE');
    qemu.abandon();
  });

  it('ends as its keeper says, once that has gone', () => {
    const { keeper, die, process, qemu } = kept();
    qemu.kill();
    expect(hear(keeper, 0)).toBeDefined();
    // Without its keeper's help.
    expect(pollReadable([process], 5000)).toEqual([true]);
    tell(keeper, { type: 'ended', exit: EXIT });
    die();
    expect(endOf(qemu)).toEqual([EXIT]);
  });

  it('ends with a keeper that has no time for a word', () => {
    const { die, qemu } = kept();
    die();
    expect(endOf(qemu)).toEqual([KILLED]);
  });
});
