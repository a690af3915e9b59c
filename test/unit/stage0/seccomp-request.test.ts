import { describe, expect, it } from 'vitest';
import { parseSeccomp } from '../../../src/stage0/seccomp-request.ts';

const files: Readonly<Record<string, string>> = {
  'p.json':
    '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mount"],"action":"SCMP_ACT_ERRNO","errnoRet":13}]}',
  'bad.json': '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mount"],"action":"deny"}]}',
  'no.json': 'mount',
};
const parse = (text: string) => parseSeccomp(text, (path) => files[path] ?? '');

describe('--seccomp', () => {
  it.each([
    ['mode=retain,read,write', 'os/linux/seccomp-retain-set', { set: ['read', 'write'] }],
    [
      'errno=EPERM,mode=remove,@rkt/default-blacklist',
      'os/linux/seccomp-remove-set',
      { set: ['@rkt/default-blacklist'], errno: 'EPERM' },
    ],
    ['mount,mode=remove,errno=ENOSYS', 'os/linux/seccomp-remove-set', { set: ['mount'], errno: 'ENOSYS' }],
  ])('%s is an isolator of appc', (text, name, value) => {
    expect(parse(text)).toEqual({ kind: 'seccomp', name, value });
  });

  it('reads a profile', () => {
    expect(parse('profile=p.json')).toEqual({
      kind: 'seccomp-profile',
      name: 'coreos.com/rkt/seccomp-profile',
      value: {
        defaultAction: 'SCMP_ACT_ALLOW',
        syscalls: [{ names: ['mount'], action: 'SCMP_ACT_ERRNO', errnoRet: 13, args: [] }],
      },
    });
  });

  it.each([
    ['', '--seccomp: mode=retain or mode=remove is required'],
    ['read,write', '--seccomp: mode=retain or mode=remove is required'],
    ['mode=keep,read', '--seccomp: mode=retain or mode=remove is required'],
    ['mode=constructor,read', '--seccomp: mode=retain or mode=remove is required'],
    ['mode=retain', '--seccomp: set: must not be empty'],
    ['mode=retain,read,', '--seccomp: set[1]: must not be empty'],
    ['mode=retain,mode=remove,read', '--seccomp: mode is given twice'],
    ['mode=retain,color=red,read', '--seccomp: "color=red" is neither mode=... nor errno=...'],
    ['mode=retain,errno=eperm,read', '--seccomp: errno: expected an error name in upper case, got "eperm"'],
    ['profile=no.json', '--seccomp: no.json: not JSON'],
    ['profile=bad.json', '--seccomp: bad.json: syscalls[0].action: expected one of SCMP_ACT_ALLOW'],
    ['profile=p.json,mode=retain', '--seccomp: p.json,mode=retain: not JSON'],
  ])('%j is refused', (text, message) => {
    expect(() => parse(text)).toThrow(message);
  });
});
