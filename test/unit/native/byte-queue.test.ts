import { describe, expect, it } from 'vitest';
import { ByteQueue } from '../../../src/native/byte-queue.ts';

function drain(queue: ByteQueue, most: number): Buffer {
  const parts: Buffer[] = [];
  for (let first = queue.first(); first !== undefined; first = queue.first()) {
    const part = first.subarray(0, most);
    parts.push(Buffer.from(part));
    queue.drop(part.length);
  }
  return Buffer.concat(parts);
}

describe('ByteQueue', () => {
  it.each([
    [1, 1],
    [1, 100_000],
    [100_000, 1],
    [16384, 16384],
    [7, 16383],
    [40_000, 3000],
  ])('gives in order what came, in pieces of %d, taken in pieces of %d', (come, go) => {
    const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, n) => n % 251));
    const queue = new ByteQueue();
    for (let at = 0; at < bytes.length; at += come) queue.add(bytes.subarray(at, at + come));
    expect(queue.length).toBe(bytes.length);
    expect(drain(queue, go).equals(bytes)).toBe(true);
    expect(queue.length).toBe(0);
  });

  it('keeps nothing of what it was given', () => {
    const queue = new ByteQueue();
    const bytes = Buffer.from('abc');
    queue.add(bytes);
    bytes.fill(0);
    expect(drain(queue, 10).toString()).toBe('abc');
  });

  it('goes on after it was cleared', () => {
    const queue = new ByteQueue();
    queue.add(Buffer.alloc(20_000));
    queue.clear();
    expect([queue.length, queue.first()]).toEqual([0, undefined]);
    queue.add(Buffer.from('x'));
    expect(drain(queue, 10).toString()).toBe('x');
  });
});
