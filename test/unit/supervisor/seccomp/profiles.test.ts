import { describe, expect, it } from 'vitest';
import { decodeBase64 } from '../../../../src/abi/base64.ts';
import { parsePodManifest } from '../../../../src/appc/index.ts';
import { appFilter } from '../../../../src/supervisor/seccomp/app-filter.ts';
import {
  ARCHITECTURES,
  type Architecture,
  callsOf,
} from '../../../../src/supervisor/seccomp/architectures.ts';
import {
  ALLOW,
  KILL_PROCESS,
  KILL_THREAD,
  LOG,
  refuseWith,
  TRAP,
  traceWith,
} from '../../../../src/supervisor/seccomp/policy.ts';
import { checkFilter, runFilter } from '../../../support/bpf.ts';

interface Surroundings {
  readonly architecture?: Architecture;
  readonly capabilities?: readonly string[];
  readonly kernel?: string;
}

/** Through a manifest, as a profile comes. */
function isolatorsOf(profile: object) {
  const isolator = { name: 'coreos.com/rkt/seccomp-profile', value: profile };
  return parsePodManifest({ acVersion: '0.8.11', acKind: 'PodManifest', apps: [], isolators: [isolator] })
    .isolators;
}

function filter(profile: object, around: Surroundings = {}) {
  const { architecture: own = 'x86-64' } = around;
  const surroundings = { architecture: own, capabilities: [], kernel: '6.1.0-18-amd64', ...around };
  const text = appFilter(isolatorsOf(profile), surroundings);
  if (text === null) throw new Error('no filter');
  const program = decodeBase64(text);
  checkFilter(program);
  return (name: string, args: readonly bigint[] = [], architecture = own) => {
    const number = callsOf(architecture).numbers.get(name);
    if (number === undefined) throw new Error(`no ${name}`);
    return runFilter(program, { number, architecture: ARCHITECTURES[architecture].audit, args }).action;
  };
}

const rule = (names: readonly string[], more: object = {}) => ({ names, action: 'SCMP_ACT_ALLOW', ...more });
const refusing = (syscalls: readonly object[], more: object = {}) => ({
  defaultAction: 'SCMP_ACT_ERRNO',
  syscalls,
  ...more,
});

describe('a profile', () => {
  it.each([
    ['SCMP_ACT_ALLOW', undefined, ALLOW],
    ['SCMP_ACT_LOG', undefined, LOG],
    ['SCMP_ACT_ERRNO', undefined, refuseWith(1)],
    ['SCMP_ACT_ERRNO', 13, refuseWith(13)],
    ['SCMP_ACT_ERRNO', 0, refuseWith(0)],
    ['SCMP_ACT_KILL', undefined, KILL_THREAD],
    ['SCMP_ACT_KILL_THREAD', undefined, KILL_THREAD],
    ['SCMP_ACT_KILL_PROCESS', undefined, KILL_PROCESS],
    ['SCMP_ACT_TRAP', undefined, TRAP],
    ['SCMP_ACT_TRACE', 7, traceWith(7)],
  ])('%s %s', (action, errnoRet, expected) => {
    const profile = refusing([rule(['mkdir'], { action, errnoRet })]);
    expect(filter(profile)('mkdir')).toBe(expected);
    expect(filter({ defaultAction: action, defaultErrnoRet: errnoRet, syscalls: [] })('mkdir')).toBe(
      expected,
    );
  });

  it('has its own error for rules without one', () => {
    const profile = refusing([rule(['mkdir'], { action: 'SCMP_ACT_ERRNO' })], { defaultErrnoRet: 38 });
    expect([filter(profile)('mkdir'), filter(profile)('rmdir')]).toEqual([refuseWith(38), refuseWith(38)]);
  });

  it('asks for all conditions of a rule', () => {
    const args = [
      { index: 0, value: 16, op: 'SCMP_CMP_EQ' },
      { index: 2, value: 9, op: 'SCMP_CMP_NE' },
    ];
    const decide = filter(refusing([rule(['socket'], { args })]));
    expect([
      decide('socket', [16n, 0n, 1n]),
      decide('socket', [16n, 0n, 9n]),
      decide('socket', [2n, 0n, 1n]),
    ]).toEqual([ALLOW, refuseWith(1), refuseWith(1)]);
  });

  it('takes conditions on one argument for alternatives, as runc does', () => {
    const args = [0, 8].map((value) => ({ index: 0, value, op: 'SCMP_CMP_EQ' }));
    const decide = filter(refusing([rule(['personality'], { args })]));
    expect([0n, 8n, 9n].map((value) => decide('personality', [value]))).toEqual([
      ALLOW,
      ALLOW,
      refuseWith(1),
    ]);
  });

  it('masks', () => {
    const args = [{ index: 0, value: 0x7e020000, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }];
    const decide = filter(refusing([rule(['clone'], { args })]));
    expect([decide('clone', [17n]), decide('clone', [0x10000011n])]).toEqual([ALLOW, refuseWith(1)]);
  });

  it('is for this machine, and for what else it lists', () => {
    const native = filter(refusing([rule(['read'])]));
    expect([native('read'), native('read', [], 'i386')]).toEqual([ALLOW, KILL_PROCESS]);
    const listed = filter(refusing([rule(['read'])], { architectures: ['SCMP_ARCH_X86', 'SCMP_ARCH_X32'] }));
    expect([listed('read', [], 'i386'), listed('mount', [], 'i386')]).toEqual([ALLOW, refuseWith(1)]);
    const archMap = [
      { architecture: 'SCMP_ARCH_AARCH64', subArchitectures: ['SCMP_ARCH_ARM'] },
      { architecture: 'SCMP_ARCH_X86_64', subArchitectures: ['SCMP_ARCH_X86', 'SCMP_ARCH_X32'] },
      { architecture: 'SCMP_ARCH_RISCV64', subArchitectures: null },
    ];
    const mapped = refusing([rule(['read'])], { archMap });
    expect(filter(mapped)('read', [], 'i386')).toBe(ALLOW);
    expect(filter(mapped, { architecture: 'arm64' })('read', [], 'i386')).toBe(KILL_PROCESS);
    expect(filter(mapped, { architecture: 'arm64' })('read')).toBe(ALLOW);
  });

  it.each<[string, object, Surroundings, boolean]>([
    [
      'a capability that the app has',
      { includes: { caps: ['CAP_SYS_ADMIN'] } },
      { capabilities: ['CAP_SYS_ADMIN'] },
      true,
    ],
    [
      'one that it has not',
      { includes: { caps: ['CAP_SYS_ADMIN'] } },
      { capabilities: ['CAP_CHOWN'] },
      false,
    ],
    [
      'unless it has one',
      { excludes: { caps: ['CAP_SYS_ADMIN'] } },
      { capabilities: ['CAP_SYS_ADMIN'] },
      false,
    ],
    ['which it has not', { excludes: { caps: ['CAP_SYS_ADMIN'] } }, {}, true],
    ['this architecture', { includes: { arches: ['amd64', 'x32'] } }, {}, true],
    ['another', { includes: { arches: ['arm', 'arm64'] } }, {}, false],
    ['another, here', { includes: { arches: ['arm', 'arm64'] } }, { architecture: 'arm64' }, true],
    ['any but another', { excludes: { arches: ['s390x'] } }, {}, true],
    ['a kernel that is old enough', { includes: { minKernel: '4.8' } }, {}, true],
    ['a newer one', { includes: { minKernel: '6.2' } }, {}, false],
    ['one of two digits', { includes: { minKernel: '5.9' } }, { kernel: '5.10.0' }, true],
  ])('has a rule for %s', (_, scope, around, holds) => {
    expect(filter(refusing([rule(['mkdirat'], scope)]), around)('mkdirat')).toBe(
      holds ? ALLOW : refuseWith(1),
    );
  });

  it('may name calls that are not known here, where they are refused in any case', () => {
    expect(filter(refusing([rule(['read', 'mseal', 'fchmodat2'])]))('read')).toBe(ALLOW);
    const open = (names: readonly string[]) => ({
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls: [rule(names, { action: 'SCMP_ACT_ERRNO' })],
    });
    expect(filter(open(['mount', 's390_sthyi']))('mount')).toBe(refuseWith(1));
    expect(() => filter(open(['mount', 'fchmodat2']))).toThrow('profile: unknown system call "fchmodat2"');
  });
});

it('ends where the kernel would not take it', () => {
  const args = [{ index: 0, value: 1, op: 'SCMP_CMP_NE' }];
  const rules = Array.from({ length: 1024 }, () => rule(['read'], { args, action: 'SCMP_ACT_TRAP' }));
  expect(() => filter(refusing(rules))).toThrow('a filter has more than 4096 instructions');
  expect(() => filter(refusing([...rules, ...rules, rule(['read'])]))).toThrow(
    '2049 rules, at most 2048 are allowed',
  );
});

describe('what a profile may be', () => {
  it('is written as it was read', () => {
    const [isolator] = isolatorsOf(
      refusing([{ name: 'read', names: null, action: 'SCMP_ACT_ALLOW', comment: 'why' }]),
    );
    expect(isolator).toEqual({
      kind: 'seccomp-profile',
      name: 'coreos.com/rkt/seccomp-profile',
      value: refusing([{ names: ['read'], action: 'SCMP_ACT_ALLOW', args: [] }]),
    });
  });

  it.each([
    [{}, 'value.defaultAction: is required'],
    [{ defaultAction: 'SCMP_ACT_NOTIFY' }, 'value.defaultAction: expected one of SCMP_ACT_ALLOW'],
    [refusing([rule([])]), 'value.syscalls[0].names: is required'],
    [refusing([rule(['read'], { action: 'ALLOW' })]), 'value.syscalls[0].action: expected one of'],
    [
      refusing([rule(['read'], { args: [{ index: 6, value: 0, op: 'SCMP_CMP_EQ' }] })]),
      'args[0].index: expected an integer from 0 to 5',
    ],
    [
      refusing([rule(['read'], { args: [{ index: 0, value: 2 ** 60, op: 'SCMP_CMP_EQ' }] })]),
      'args[0].value: expected an integer',
    ],
    [
      refusing([rule(['read'], { args: [{ index: 0, value: 0, op: '==' }] })]),
      'args[0].op: expected one of SCMP_CMP_EQ',
    ],
    [
      refusing([rule(['read'], { includes: { minKernel: 'new' } })]),
      'minKernel: expected a kernel version such as 4.8',
    ],
    [refusing([], { flags: ['SECCOMP_FILTER_FLAG_LOG'] }), 'flags[0]: expected SECCOMP_FILTER_FLAG_TSYNC'],
    [refusing([], { listenerPath: '/run/s' }), 'listenerPath: nobody listens to a filter here'],
  ])('is refused: %j', (profile, message) => {
    expect(() => isolatorsOf(profile)).toThrow(message);
  });
});
