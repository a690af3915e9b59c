import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { boolean, Flag, normalize, optional, parseBoolean, value, values } from '../../../src/cli/flag.ts';

function command() {
  const parsed = new Command('x')
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .argument('[words...]');
  for (const flag of [
    new Flag('no-legend', boolean, ''),
    new Flag('wait', optional('DURATION', 'true'), ''),
    new Flag('dir', value('DIR'), ''),
    new Flag('set-env', values('NAME=VALUE'), ''),
  ])
    parsed.addOption(flag);
  return parsed;
}

function parse(...args: string[]) {
  const parsed = command();
  parsed.parse(normalize(parsed, args), { from: 'user' });
  return { words: parsed.args, ...parsed.opts() };
}

describe('flags as pflag reads them', () => {
  it('need no value where they have one of their own', () => {
    expect(parse('--no-legend', 'a', '--wait', 'b')).toEqual({
      words: ['a', 'b'],
      noLegend: true,
      wait: 'true',
    });
  });

  it('take a value behind = or as the next argument', () => {
    expect(parse('--dir', '--no-legend', '--wait=5s', '--no-legend=false')).toEqual({
      words: [],
      dir: '--no-legend',
      wait: '5s',
      noLegend: false,
    });
  });

  it('collect what is repeated', () => {
    expect(parse('--set-env=A=1', '--set-env', 'B=2')).toMatchObject({ setEnv: ['A=1', 'B=2'] });
  });

  it('end at --', () => {
    expect(parse('--', '--dir').words).toEqual(['--dir']);
  });

  it('end at the first operand of a command that starts a program', () => {
    const parsed = command().passThroughOptions();
    const args = ['--dir', '/data', 'program', '--dir', '--no-legend=ja', '--', '--wait'];
    parsed.parse(normalize(parsed, args, true), { from: 'user' });
    expect({ words: parsed.args, ...parsed.opts() }).toEqual({ words: args.slice(2), dir: '/data' });
  });

  it('are shown as users write them', () => {
    expect(command().helpInformation()).toMatch(
      /--no-legend\s[\s\S]*--wait\[=DURATION\]\s[\s\S]*--dir=DIR\s/,
    );
  });

  it.each([
    [['--nope'], "unknown option '--nope'"],
    [['--dir'], 'flag needs an argument: --dir'],
    [['--no-legend=ja'], 'expected true or false, got "ja"'],
  ])('are refused in %j', (args, message) => {
    expect(() => parse(...args)).toThrow(message);
  });

  it('know all booleans of Go', () => {
    expect(['1', 't', 'TRUE', 'True'].every(parseBoolean)).toBe(true);
    expect(['0', 'f', 'FALSE', 'False'].some(parseBoolean)).toBe(false);
  });
});
