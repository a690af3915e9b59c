import { describe, expect, test } from 'vitest';
import { leaseOf } from '../../../cni-plugins/ipam/dhcp/lease.ts';
import { formatQuestion, type Options, parseReply } from '../../../cni-plugins/ipam/dhcp/message.ts';
import { useEngine } from '../../../src/native/engine.ts';
import { koffiEngine } from '../../support/koffi-syscall.ts';
import { randomFrom } from '../../support/random.ts';

useEngine(koffiEngine);

const ADDRESS = Uint8Array.of(10, 1, 2, 3);
const TRANSACTION = Uint8Array.of(1, 2, 3, 4);

function lease(options: Record<number, readonly number[]>) {
  const found: Options = new Map(
    Object.entries(options).map(([code, value]) => [Number(code), Uint8Array.from(value)]),
  );
  return leaseOf({ type: 'ack', transaction: TRANSACTION, address: ADDRESS, options: found }, undefined);
}

/** A question of ours as if it were a server's answer: from port 67 to 68. */
function answer(options: Options): Uint8Array {
  const frame = formatQuestion({ type: 'ack', transaction: TRANSACTION, mac: '02:00:00:00:00:01', options });
  frame.set([0, 67, 0, 68], 34);
  frame[42] = 2;
  return frame;
}

describe('a message', () => {
  test('is read as it was written, long options in one piece', () => {
    const reply = parseReply(answer(new Map([[3, Uint8Array.of(10, 1, 2, 1)]])));
    expect(reply).toMatchObject({ type: 'ack', transaction: TRANSACTION });
    expect(reply?.options.get(3)).toEqual(Uint8Array.of(10, 1, 2, 1));
  });

  test('that is none is not taken for one, however it is cut', () => {
    const whole = answer(new Map([[6, new Uint8Array(8)]]));
    for (let length = 0; length < whole.length; length++) {
      const reply = parseReply(whole.slice(0, length));
      expect(reply === undefined || reply.type === 'ack').toBe(true);
    }
    expect(
      parseReply(
        formatQuestion({
          type: 'ack',
          transaction: TRANSACTION,
          mac: '02:00:00:00:00:01',
          options: new Map(),
        }),
      ),
    ).toBeUndefined();
  });

  test('of random bytes ends in a lease or in nothing, never in an error', () => {
    const random = randomFrom(7);
    const below = (count: number) => Math.floor(random() * count);
    for (let round = 0; round < 300; round++) {
      const frame = answer(new Map([[121, new Uint8Array(40)]]));
      for (let n = 0; n < 12; n++) frame[282 + below(frame.length - 282)] = below(256);
      const reply = parseReply(frame);
      if (reply !== undefined) expect(leaseOf(reply, undefined).result.ips).toHaveLength(1);
    }
  });
});

describe('a lease', () => {
  test('has the prefix of the mask, and 24 where there is none or one with holes', () => {
    expect(lease({ 1: [255, 255, 252, 0] }).result.ips).toEqual([{ address: '10.1.2.3/22' }]);
    expect(lease({}).result.ips).toEqual([{ address: '10.1.2.3/24' }]);
    expect(lease({ 1: [255, 0, 255, 0] }).result.ips).toEqual([{ address: '10.1.2.3/24' }]);
  });

  test('has classless routes instead of all others', () => {
    const router = [10, 1, 2, 1];
    expect(lease({ 3: router, 33: [172, 16, 0, 0, 10, 1, 2, 9] }).result.routes).toEqual([
      { dst: '172.16.0.0/16', gw: '10.1.2.9' },
      { dst: '0.0.0.0/0', gw: '10.1.2.1' },
    ]);
    const classless = [0, 10, 1, 2, 7, 25, 192, 0, 2, 128, 0, 0, 0, 0, 33, 1];
    expect(lease({ 3: router, 121: classless }).result.routes).toEqual([
      { dst: '0.0.0.0/0', gw: '10.1.2.7' },
      { dst: '192.0.2.128/25' },
    ]);
  });

  test('is renewed at half of its time, or when its server says; one without an end never', () => {
    expect(lease({ 51: [0, 0, 0, 120] }).times).toEqual({ end: 120, renewal: 60 });
    expect(lease({ 51: [0, 0, 0, 120], 58: [0, 0, 0, 7] }).times).toEqual({ end: 120, renewal: 7 });
    expect(lease({ 51: [0, 0, 0, 0], 58: [0, 0, 1, 0] }).times).toEqual({ end: 10, renewal: 9 });
    expect(lease({ 51: [255, 255, 255, 255] }).times).toBeUndefined();
  });

  test('names servers and a domain, if it is one', () => {
    expect(lease({ 6: [10, 1, 2, 8, 10, 1, 2, 9, 1], 15: [97, 46, 98, 0] }).result.dns).toEqual({
      nameservers: ['10.1.2.8', '10.1.2.9'],
      domain: 'a.b',
    });
    expect(lease({ 15: [97, 10, 98] }).result.dns).toEqual({});
  });
});
