import { describe, expect, it } from 'vitest';
import {
  ARCHITECTURES,
  type Architecture,
  callsOf,
} from '../../../../src/supervisor/seccomp/architectures.ts';
import {
  ALLOW,
  type Condition,
  ENOSYS,
  KILL_PROCESS,
  type Policy,
  type Rule,
  refuseWith,
} from '../../../../src/supervisor/seccomp/policy.ts';
import { compileFilter } from '../../../../src/supervisor/seccomp/program.ts';
import { checkFilter, runFilter } from '../../../support/bpf.ts';

const EACCES = 13;
const FOREIGN = refuseWith(97);

function policy(change: Partial<Policy>): Policy {
  return { rules: [], otherwise: KILL_PROCESS, architectures: ['x86-64'], foreign: FOREIGN, ...change };
}

function filter(change: Partial<Policy>) {
  const program = compileFilter(policy(change));
  checkFilter(program);
  return (name: string | number, args: readonly bigint[] = [], architecture: Architecture = 'x86-64') => {
    const number = typeof name === 'number' ? name : callsOf(architecture).numbers.get(name);
    if (number === undefined) throw new Error(`no ${name}`);
    return runFilter(program, { number, architecture: ARCHITECTURES[architecture].audit, args }).action;
  };
}

const allow = (...names: string[]): Rule => ({ names, conditions: [], action: ALLOW });

describe('compileFilter', () => {
  it('does for every number of every architecture what the rules say', () => {
    const architectures = ['x86-64', 'i386', 'arm64'] as const;
    const names = ['read', 'openat', 'mkdirat', 'exit_group', 'getpid', 'io_setup', 'futex_waitv'];
    const decide = filter({ rules: [allow(...names)], architectures });
    for (const architecture of architectures) {
      const { numbers, end } = callsOf(architecture);
      const allowed = new Set(names.map((name) => numbers.get(name)));
      for (let number = 0; number < end; number++)
        expect(decide(number, [], architecture), `${architecture} ${number}`).toBe(
          allowed.has(number) ? ALLOW : KILL_PROCESS,
        );
    }
  });

  it('takes hundreds of alternating answers, which are more than one leap goes', () => {
    const { numbers, end } = callsOf('i386');
    const even = [...numbers].filter(([, number]) => number % 2 === 0).map(([name]) => name);
    const decide = filter({ rules: [allow(...even)], architectures: ['x86-64', 'i386'] });
    const known = new Set(numbers.values());
    for (let number = 0; number < end; number++)
      expect(decide(number, [], 'i386')).toBe(number % 2 === 0 && known.has(number) ? ALLOW : KILL_PROCESS);
  });

  it('finds a call by few comparisons', () => {
    const { numbers } = callsOf('x86-64');
    const odd = [...numbers].filter(([, number]) => number % 2 === 1).map(([name]) => name);
    const program = compileFilter(policy({ rules: [allow(...odd)] }));
    const architecture = ARCHITECTURES['x86-64'].audit;
    const counts = [...numbers.values()].map(
      (number) => runFilter(program, { number, architecture }).instructions,
    );
    expect(Math.max(...counts)).toBeLessThanOrEqual(24);
  });

  it('answers calls by another way in as such: another architecture, and x32', () => {
    const decide = filter({ rules: [allow('read')] });
    const read = callsOf('x86-64').numbers.get('read') ?? -1;
    expect(decide('read')).toBe(ALLOW);
    expect(decide('read', [], 'i386')).toBe(FOREIGN);
    expect(decide('read', [], 'arm64')).toBe(FOREIGN);
    expect(decide(0x40000000 + read)).toBe(FOREIGN);
    expect(decide(0x40000000 + 512)).toBe(FOREIGN);
    expect(decide(0xffffffff)).toBe(FOREIGN);
  });

  it('tells programs that ask for newer calls that there are none, unless it lets everything pass', () => {
    const { end } = callsOf('x86-64');
    expect(filter({ rules: [allow('read')] })(end)).toBe(refuseWith(ENOSYS));
    expect(filter({ rules: [allow('read')] })(0x3fffffff)).toBe(refuseWith(ENOSYS));
    const open = filter({ otherwise: ALLOW, rules: [{ ...allow('read'), action: refuseWith(EACCES) }] });
    expect([open(end), open('read'), open('write')]).toEqual([ALLOW, refuseWith(EACCES), ALLOW]);
  });

  it('lets the first rule that holds decide', () => {
    const zero: Condition = { argument: 0, is: 'equal', value: 0 };
    const decide = filter({
      rules: [
        { names: ['socket'], conditions: [zero], action: refuseWith(1) },
        allow('socket'),
        { names: ['socket', 'close'], conditions: [], action: refuseWith(2) },
      ],
    });
    expect([decide('socket', [0n]), decide('socket', [1n]), decide('close')]).toEqual([
      refuseWith(1),
      ALLOW,
      refuseWith(2),
    ]);
  });

  it('goes by the default where no condition holds', () => {
    const conditions: Condition[] = [
      { argument: 0, is: 'equal', value: 2 },
      { argument: 2, is: 'unequal', value: 9 },
    ];
    const decide = filter({ rules: [{ names: ['socket'], conditions, action: ALLOW }] });
    expect(decide('socket', [2n, 1n, 0n])).toBe(ALLOW);
    expect(decide('socket', [2n, 1n, 9n])).toBe(KILL_PROCESS);
    expect(decide('socket', [3n, 1n, 0n])).toBe(KILL_PROCESS);
  });
});

describe('conditions compare 64 bits without a sign', () => {
  const edges = [0n, 1n, 7n, 8n, 9n, 0xffffffffn, 0x100000000n, 0x100000008n, 0x700000000n, 0x800000000n];
  const arguments_ = [...edges, 0x7fffffffffffffffn, 0x8000000000000000n, 0xffffffffffffffffn];
  const values = [0, 8, 0xffffffff, 0x100000000, 0x100000008, Number.MAX_SAFE_INTEGER];
  const holds: Record<Condition['is'], (argument: bigint, value: bigint) => boolean> = {
    equal: (a, b) => a === b,
    unequal: (a, b) => a !== b,
    less: (a, b) => a < b,
    'at-most': (a, b) => a <= b,
    'at-least': (a, b) => a >= b,
    more: (a, b) => a > b,
  };

  it.each(Object.keys(holds) as Condition['is'][])('%s', (is) => {
    for (const value of values) {
      const rules: Rule[] = [{ names: ['ioctl'], conditions: [{ argument: 1, is, value }], action: ALLOW }];
      const decide = filter({ rules });
      for (const argument of arguments_)
        expect(decide('ioctl', [5n, argument]), `${argument} ${is} ${value}`).toBe(
          holds[is](argument, BigInt(value)) ? ALLOW : KILL_PROCESS,
        );
    }
  });

  it.each([
    [0x7e020000, 0],
    [0x1ff0000000f, 0x10000000003],
    [0xffffffff, 0xfffffffe],
  ])('only the bits of a mask count: %i, %i', (mask, value) => {
    const condition: Condition = { argument: 5, is: 'equal', mask, value };
    const decide = filter({ rules: [{ names: ['clone'], conditions: [condition], action: ALLOW }] });
    const others = [0x10000000003n, 0x20000n, 0xfffffffen, 0xff00fffffffen, 0x11n];
    for (const argument of [...arguments_, ...others])
      expect(decide('clone', [0n, 0n, 0n, 0n, 0n, argument])).toBe(
        (argument & BigInt(mask)) === BigInt(value) ? ALLOW : KILL_PROCESS,
      );
  });
});
