import { describe, expect, it } from 'vitest';
import { adopt } from '../../../stage1-kvm/adopting.ts';
import type { Qmp } from '../../../stage1-kvm/qmp.ts';

const disks = [
  { fd: 30, kind: 'file', serial: 'image-0', readOnly: true },
  { fd: 31, kind: 'file', serial: 'image-1', readOnly: true },
  { fd: 32, kind: 'file', serial: 'scratch', readOnly: false },
] as const;

/** A QEMU that answers all orders when it has them all, as it does, and refuses some. */
function adopted(...refused: readonly string[]) {
  const asked: unknown[] = [];
  const log: string[] = [];
  const answers: (() => void)[] = [];
  const ask = (
    command: string,
    done: (refusal?: string) => void,
    given?: object,
    fds: readonly number[] = [],
  ) => {
    asked.push([command, given, ...fds]);
    answers.push(() => done(refused.includes(command) ? 'no' : undefined));
  };
  const resume = (done: (refusal?: string) => void) => ask('cont', done);
  adopt({ ask, resume } as unknown as Qmp, disks, {
    goesOn: () => log.push('goes on'),
    failed: (reason) => log.push(reason),
  });
  expect(log).toEqual([]);
  for (const answer of answers) answer();
  return { asked, log };
}

describe('a spare machine that becomes a pod’s', () => {
  it('gets the pod’s images in the places of its own, by their files, and goes on', () => {
    const { asked, log } = adopted();
    const readOnly = { 'read-only': true, discard: 'unmap' };
    const ofDisk = (index: number, fd: number) => [
      ['add-fd', { 'fdset-id': 100 + index }, fd],
      [
        'blockdev-add',
        {
          ...{ driver: 'file', 'node-name': `image${index}` },
          ...{ filename: `/dev/fdset/${100 + index}`, ...readOnly },
        },
      ],
      [
        'blockdev-reopen',
        {
          options: [{ driver: 'raw', 'node-name': `disk${index}`, file: `image${index}`, ...readOnly }],
        },
      ],
    ];
    // What is written to it has.
    expect(asked).toEqual([...ofDisk(0, 30), ...ofDisk(1, 31), ['cont', undefined]]);
    expect(log).toEqual(['goes on']);
  });

  it.each(['add-fd', 'blockdev-add', 'blockdev-reopen', 'cont'])(
    'does not go on where QEMU refuses %s, which is told once',
    (command) => {
      expect(adopted(command).log).toEqual([`${command}: no`]);
    },
  );

  it('tells the first refusal of several', () => {
    expect(adopted('blockdev-add', 'blockdev-reopen', 'cont').log).toEqual(['blockdev-add: no']);
  });
});
