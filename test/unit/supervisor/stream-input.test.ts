import { describe, expect, it } from 'vitest';
import { setNonBlocking } from '../../../src/native/descriptors.ts';
import { close, readNow, writeAll } from '../../../src/native/files.ts';
import { Loop } from '../../../src/native/loop.ts';
import { openPipe } from '../../../src/native/pipes.ts';
import { StreamInput } from '../../../src/supervisor/stream-input.ts';
import { nativeScratch } from '../../support/native-scratch.ts';

nativeScratch();

function newInput() {
  const loop = new Loop();
  const input = new StreamInput(loop);
  const serve = () => {
    loop.after(30, () => loop.stop());
    loop.run();
  };
  const read = (): string | undefined => {
    const buffer = Buffer.alloc(1 << 20);
    const count = readNow(input.output, buffer);
    return count === undefined ? undefined : buffer.subarray(0, count).toString();
  };
  return { input, serve, read };
}

describe('StreamInput', () => {
  it('takes from several, and outlives them', () => {
    const { input, serve, read } = newInput();
    const ended: string[] = [];
    const [one, two] = [openPipe(), openPipe()];
    input.add(one.read, () => ended.push('one'));
    input.add(two.read, () => ended.push('two'));
    writeAll(one.write, Buffer.from('from one\n'));
    serve();
    expect(read()).toBe('from one\n');
    close(one.write);
    writeAll(two.write, Buffer.from('from two\n'));
    serve();
    expect(ended).toEqual(['one']);
    expect(read()).toBe('from two\n');
    close(two.write);
    serve();
    expect(ended).toEqual(['one', 'two']);
    expect(read()).toBeUndefined();
  });

  it('holds nobody’s bytes back longer than the app does', () => {
    const { input, serve, read } = newInput();
    const pipe = openPipe();
    setNonBlocking(pipe.write, true);
    let ended = false;
    input.add(pipe.read, () => {
      ended = true;
    });
    const sent = 'x'.repeat(60_000);
    let text = '';
    for (let n = 0; n < 5; n++) {
      writeAll(pipe.write, Buffer.from(sent));
      serve();
      text += read();
    }
    close(pipe.write);
    for (serve(); !ended; serve()) text += read() ?? '';
    text += read() ?? '';
    expect(text).toBe(sent.repeat(5));
  });

  it('when the app has ended tells those who are still there, once', () => {
    const { input, serve } = newInput();
    const ended: string[] = [];
    const [here, gone] = [openPipe(), openPipe()];
    input.add(here.read, () => ended.push('here'));
    const pump = input.add(gone.read, () => ended.push('gone'));
    input.remove(pump);
    input.close();
    input.close();
    serve();
    expect(ended).toEqual(['here']);
    expect(input.isOpen).toBe(false);
  });

  it('lets go of everybody when nobody reads any more', () => {
    const { input, serve } = newInput();
    const ended: string[] = [];
    const pipe = openPipe();
    input.add(pipe.read, () => ended.push('it'));
    close(input.output);
    writeAll(pipe.write, Buffer.from('to nobody'));
    serve();
    expect(ended).toEqual(['it']);
  });
});
