import { expect, it } from 'vitest';
import { reportOf } from '../support/native-program.ts';

it('a compiled program waits for many things at once', async () => {
  expect(await reportOf('events')).toEqual({
    signals: ['10 true', '15 true'],
    oneChild: ['{"kind":"exited","code":3}'],
    promises: ['started', 'after the first timer', 'second timer'],
    bytes: ['3000000 of 3000000'],
    files: ['stdin', 'hello'],
    terminal: ['24 80', 'typed', 'got typed', '50 100', '{"kind":"exited","code":4}'],
    children: expect.arrayContaining(['code 1', 'code 2', 'signal 9']),
  });
});
