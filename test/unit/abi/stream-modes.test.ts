import { describe, expect, it } from 'vitest';
import { type StreamName, streamAnnotation, streamModesOf } from '../../../src/abi/stream-modes.ts';
import { parseAnnotations } from '../../../src/appc/index.ts';

function modesOf(modes: { readonly [S in StreamName]?: string }) {
  const annotations = Object.entries(modes).map(([stream, value]) => ({
    name: streamAnnotation(stream as StreamName),
    value,
  }));
  return streamModesOf({ annotations: parseAnnotations(annotations) });
}

describe('stream modes', () => {
  it.each([
    [{}, { kind: 'pipes', stdin: 'null', stdout: 'log', stderr: 'log' }],
    [
      { stdin: 'stream', stderr: 'null' },
      { kind: 'pipes', stdin: 'stream', stdout: 'log', stderr: 'null' },
    ],
    [{ stdin: 'tty' }, { kind: 'terminal' }],
    [{ stdin: 'tty', stdout: 'tty', stderr: 'tty' }, { kind: 'terminal' }],
  ])('of %j', (modes, expected) => {
    expect(modesOf(modes)).toEqual(expected);
  });

  it.each([
    [{ stdin: 'log' }, 'stdin="log": stdin is one of null, stream, tty'],
    [{ stdout: '' }, 'stdout="": stdout is one of log, null, stream, tty'],
    [{ stdin: 'tty', stderr: 'log' }, 'stderr=log does not go with a terminal'],
    [{ stdin: 'null', stdout: 'tty' }, 'stdin=null does not go with a terminal'],
  ])('%j are refused', (modes, message) => {
    expect(() => modesOf(modes)).toThrow(message);
  });
});
