import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Endpoint } from '../../../src/abi/attach.ts';
import type { ControlAnswer } from '../../../src/abi/control.ts';
import { close, open, open_, readNow, writeAll } from '../../../src/native/files.ts';
import { Loop } from '../../../src/native/loop.ts';
import { openPipe } from '../../../src/native/pipes.ts';
import { AttachSession, openEndpoints } from '../../../src/supervisor/attach-session.ts';
import { Distributor } from '../../../src/supervisor/distributor.ts';
import { LogClock } from '../../../src/supervisor/log-clock.ts';
import { LogWriter } from '../../../src/supervisor/log-writer.ts';
import type { Session } from '../../../src/supervisor/session.ts';
import { StreamInput } from '../../../src/supervisor/stream-input.ts';
import { nativeScratch } from '../../support/native-scratch.ts';

const scratch = nativeScratch();
const STREAM = 7;

/** An app with an input and an output, and callers that come to it. */
function newApp(kind: 'streams' | 'terminal' = 'streams') {
  const loop = new Loop();
  const settings = { bytes: 1 << 20, clock: new LogClock(), refused: () => {} };
  const log = new LogWriter(mkdtempSync(join(scratch, 'log-')), 'stdout', settings);
  const output = new Distributor(loop, log, () => {});
  const input = new StreamInput(loop);
  const [into, out]: Endpoint[] = kind === 'streams' ? ['stdin', 'stdout'] : ['tty-in', 'tty-out'];
  const terminal = kind === 'streams' ? undefined : STREAM;
  const endpoints = {
    inputs: new Map([[into ?? 'stdin', input]]),
    outputs: new Map([[out ?? 'stdout', output]]),
    terminal,
  };
  const sent: unknown[] = [];
  const session = { send: (message: unknown) => void sent.push(message) } as unknown as Session;
  const serve = () => {
    loop.after(30, () => loop.stop());
    loop.run();
  };
  const attach = (
    names: readonly Endpoint[],
    fds: readonly number[],
    window: { rows: number; columns: number } | null = null,
  ) => {
    const answers: (ControlAnswer | 'finished')[] = [];
    let gone = () => {};
    const caller = {
      answer: (answer: ControlAnswer) => void answers.push(answer),
      onGone: (callback: () => void) => {
        gone = callback;
      },
      finish: () => void answers.push('finished'),
    };
    const request = { type: 'attach', app: 'web', endpoints: names, window } as const;
    const begun = AttachSession.start(session, endpoints, request, fds, caller);
    return { begun, answers, hangUp: () => gone() };
  };
  return { endpoints, input, output, sent, serve, attach };
}

function textIn(fd: number): string {
  const buffer = Buffer.alloc(65536);
  return buffer.subarray(0, readNow(fd, buffer) ?? 0).toString();
}

describe('AttachSession', () => {
  it('carries what is written both ways, until the caller is gone', () => {
    const { input, output, serve, attach } = newApp();
    const [typed, shown] = [openPipe(), openPipe({ nonBlocking: true })];
    const { answers, hangUp } = attach(['stdin', 'stdout'], [typed.read, shown.write]);
    writeAll(typed.write, Buffer.from('in'));
    writeAll(output.input, Buffer.from('out'));
    serve();
    expect([textIn(input.output), textIn(shown.read)]).toEqual(['in', 'out']);
    hangUp();
    writeAll(output.input, Buffer.from('later'));
    serve();
    // It is closed: nobody else has it.
    expect(textIn(shown.read)).toBe('');
    expect(answers).toEqual([{ type: 'attached' }]);
  });

  it('goes on reading when its input has ended, and is done when the output has', () => {
    const { output, serve, attach } = newApp();
    const [typed, shown] = [openPipe(), openPipe({ nonBlocking: true })];
    const { answers } = attach(['stdin', 'stdout'], [typed.read, shown.write]);
    close(typed.write);
    serve();
    expect(answers).toEqual([{ type: 'attached' }]);
    writeAll(output.input, Buffer.from('last words'));
    close(output.input);
    serve();
    expect(textIn(shown.read)).toBe('last words');
    expect(answers).toEqual([{ type: 'attached' }, { type: 'done' }, 'finished']);
  });

  it('with an input alone is done when that has ended', () => {
    const { serve, attach } = newApp();
    const typed = openPipe();
    const { answers } = attach(['stdin'], [typed.read]);
    close(typed.write);
    serve();
    expect(answers).toEqual([{ type: 'attached' }, { type: 'done' }, 'finished']);
  });

  it('sets the size of a terminal, where there is one', () => {
    const terminal = newApp('terminal');
    const nowhere = () => open('/dev/null', open_.writeOnly);
    const { begun } = terminal.attach(['tty-out'], [nowhere()], { rows: 24, columns: 80 });
    expect(begun?.take({ type: 'resize', rows: 50, columns: 100 })).toBe(true);
    expect(begun?.take({ type: 'resize', rows: 0, columns: 0 })).toBe(true);
    expect(begun?.take({ type: 'signal', signal: 9 })).toBe(false);
    expect(terminal.sent).toEqual([
      { type: 'resize', stream: STREAM, rows: 24, columns: 80 },
      { type: 'resize', stream: STREAM, rows: 50, columns: 100 },
    ]);
    const streams = newApp();
    streams.attach(['stdout'], [nowhere()], { rows: 24, columns: 80 });
    expect(streams.sent).toEqual([]);
  });

  it('is refused what there is not, and what does not fit', () => {
    const { endpoints, input, attach } = newApp();
    expect(openEndpoints(endpoints)).toEqual(['stdin', 'stdout']);
    const message = (names: readonly Endpoint[], fds: readonly number[]) => attach(names, fds).answers;
    expect(message(['stderr'], [openPipe().write])).toEqual([
      { type: 'refused', message: 'app web has no stderr to attach to: it has stdin, stdout' },
      'finished',
    ]);
    expect(message(['stdin', 'stdout'], [openPipe().read])).toEqual([
      { type: 'refused', message: '1 descriptors came with the request, not 2' },
      'finished',
    ]);
    input.close();
    expect(openEndpoints(endpoints)).toEqual(['stdout']);
    expect(message(['stdin'], [openPipe().read])).toEqual([
      { type: 'refused', message: 'app web has no stdin to attach to: it has stdout' },
      'finished',
    ]);
  });
});
