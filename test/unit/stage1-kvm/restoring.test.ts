import { describe, expect, it } from 'vitest';
import { decodeBase64 } from '../../../src/abi/base64.ts';
import { setNonBlocking } from '../../../src/native/descriptors.ts';
import { readNow } from '../../../src/native/files.ts';
import { socketPair } from '../../../src/native/sockets.ts';
import type { Qmp } from '../../../stage1-kvm/qmp.ts';
import { Restoring, wake } from '../../../stage1-kvm/restoring.ts';
import { SHARE_DEVICE } from '../../../stage1-kvm/template-arguments.ts';
import { nativeScratch } from '../../support/native-scratch.ts';

nativeScratch();

/** A QEMU that does what it is told, or does not. */
function restoring(refused?: string, hasShare = true) {
  const log: string[] = [];
  const ask = (command: string, done: (refusal?: string) => void, given?: object) => {
    log.push(given === undefined ? command : `${command} ${JSON.stringify(given)}`);
    done(command === refused ? 'no' : undefined);
  };
  const subject = new Restoring({ ask } as unknown as Qmp, 9, hasShare, {
    goesOn: () => log.push('goes on'),
    failed: (reason) => log.push(`failed: ${reason}`),
  });
  return { log, subject };
}

describe('Restoring', () => {
  it('loads the state once the memory is there, and plugs the share in before the machine goes on', () => {
    const { log, subject } = restoring();
    expect(log.splice(0)).toEqual([expect.stringMatching(/^migrate-set-capabilities .*x-ignore-shared/)]);
    subject.filled();
    expect(log.splice(0)).toEqual(['migrate-incoming {"uri":"fd:9"}']);
    subject.progress('active');
    expect(log.splice(0)).toEqual([]);
    subject.progress('completed');
    expect(log).toEqual([`device_add ${JSON.stringify(SHARE_DEVICE)}`, 'cont', 'goes on']);
  });

  it('plugs in no share where there is none', () => {
    const { log, subject } = restoring(undefined, false);
    subject.filled();
    log.length = 0;
    subject.progress('completed');
    expect(log).toEqual(['cont', 'goes on']);
  });

  it.each(['migrate-set-capabilities', 'migrate-incoming', 'device_add', 'cont'])(
    'fails where QEMU refuses %s',
    (command) => {
      const { log, subject } = restoring(command);
      subject.filled();
      subject.progress('completed');
      expect(log).toContain(`failed: ${command}: no`);
    },
  );

  it('fails where the state is none', () => {
    const { log, subject } = restoring();
    subject.filled();
    subject.progress('failed');
    expect(log.at(-1)).toBe('failed: QEMU could not load the state');
  });
});

it('wakes with entropy that nobody else gets', () => {
  const woken = () => {
    const [own, theirs] = socketPair('stream');
    setNonBlocking(theirs, true);
    wake(own, false);
    const buffer = Buffer.alloc(4096);
    const packet = buffer.subarray(0, readNow(theirs, buffer) ?? 0);
    expect(packet.readUInt32LE(0)).toBe(packet.length - 4);
    return JSON.parse(packet.subarray(4).toString());
  };
  const [one, other] = [woken(), woken()];
  expect(one).toMatchObject({ type: 'wake', clock: { seconds: expect.any(Number) }, hasMore: false });
  expect(decodeBase64(one.entropy)).toHaveLength(64);
  expect(one.entropy).not.toBe(other.entropy);
});
