import { describe, expect, it } from 'vitest';
import { type Entry, readCommandLine } from '../../../src/cli/command-line.ts';
import { subcommand } from '../../../src/cli/subcommand.ts';

const command = (name: string): Entry => ({
  name,
  summary: '',
  load: async () => () => subcommand(name, ''),
});
const group = (name: string, ...commands: Entry[]): Entry => ({ name, summary: '', commands });
const COMMANDS = [
  command('fetch'),
  group('image', command('list'), command('gc'), command('grep'), group('layer', command('list'))),
  command('index'),
  command('run'),
  { ...command('runs'), added: true },
  { ...command('rust'), added: true },
  { ...command('tap'), added: true },
  { ...command('top'), added: true },
] as const;

/** The invocation in one line: its kind, what it is of, its arguments. */
function read(...argv: string[]): string {
  const invocation = readCommandLine(argv, COMMANDS);
  switch (invocation.kind) {
    case 'command':
      return ['command', invocation.entry.name, ...invocation.args].join(' ');
    case 'help':
      return `help ${invocation.entry?.name ?? 'rkt'}`;
    case 'missing-command':
      return `missing ${invocation.group?.name ?? 'rkt'}`;
    default:
      return invocation satisfies never;
  }
}

describe('a command line', () => {
  it.each([
    ['fetch x', 'command fetch x'],
    ['image list --full', 'command list --full'],
    ['im li', 'command list'],
    ['ima la l a b', 'command list a b'],
    ['--debug image --dir /x list --dir=/y z', 'command list --debug --dir /x --dir=/y z'],
    ['run image list', 'command run image list'],
    ['run -- --help', 'command run -- --help'],
    ['ru x', 'command run x'],
    ['rus x', 'command rust x'],
  ])('%s is %s', (line, invocation) => {
    expect(read(...line.split(' '))).toBe(invocation);
  });

  it.each([
    ['help', 'help rkt'],
    ['--debug --help', 'help rkt'],
    ['help run', 'help run'],
    ['help image list', 'help list'],
    ['-h im', 'help image'],
    ['image help', 'help image'],
    ['image --help', 'help image'],
    ['image help li', 'help list'],
    ['image layer help', 'help layer'],
  ])('%s is %s', (line, invocation) => {
    expect(read(...line.split(' '))).toBe(invocation);
  });

  it('without a command says of what it is missing', () => {
    expect(read()).toBe('missing rkt');
    expect(read('--debug')).toBe('missing rkt');
    expect(read('image')).toBe('missing image');
    expect(read('--debug', 'image', '--dir=/x')).toBe('missing image');
  });

  it.each([
    ['frob', 'unknown command "frob"'],
    ['image frob', 'unknown command "frob" of image'],
    ['help image frob', 'unknown command "frob" of image'],
    ['i', 'ambiguous command "i": image, index'],
    ['image g', 'ambiguous command "g" of image: gc, grep'],
    ['t', 'ambiguous command "t": tap, top'],
    ['--frob', 'unknown flag --frob'],
    ['image -x list', 'unknown flag -x'],
    ['help run x', 'help takes one command'],
  ])('%s is refused: %s', (line, message) => {
    expect(() => read(...line.split(' '))).toThrow(message);
  });

  it('does not take an empty word for a beginning', () => {
    expect(() => read('')).toThrow('unknown flag');
  });
});
