/** The configuration of our kernel (`stage1-kvm/kernel/config`) as data. Pure. */
import { BuildError } from './error.ts';

export interface KernelOption {
  /** `CONFIG_SMP`. */
  readonly name: string;
  /** As kconfig writes it: `y`, a number, a text in quotes. */
  readonly value: string;
  readonly reason: string;
}

export interface ConfigSection {
  readonly title: string;
  readonly options: readonly KernelOption[];
}

const OPTION = /^(CONFIG_[A-Za-z0-9_]+)=(y|\d+|"[^"]*") +# (\S.*)$/;

/**
 * Sections are set apart by empty lines: a comment, which is the title, and the options. What has no options is a preface.
 * Throws BAD_CONFIG for an option without a reason, for one that is there twice, and for one out of order.
 */
export function parseKernelConfig(text: string): ConfigSection[] {
  const sections = text
    .trimEnd()
    .split(/\n{2,}/)
    .map((block) => block.split('\n'))
    .filter((lines) => lines.some((line) => !line.startsWith('#')))
    .map(parseSection);
  requireOnce(optionsOf(sections));
  return sections;
}

export function optionsOf(sections: readonly ConfigSection[]): KernelOption[] {
  return sections.flatMap(({ options }) => options);
}

/** What kconfig reads: it has no comments behind values. */
export function formatOptions(options: readonly KernelOption[]): string {
  return options.map(({ name, value }) => `${name}=${value}\n`).join('');
}

/** Those that kconfig has not taken as they are: it leaves out, silently, what needs another option, or is none of this kernel. */
export function droppedOptions(options: readonly KernelOption[], resolved: string): KernelOption[] {
  const lines = new Set(resolved.split('\n'));
  return options.filter(({ name, value }) => !lines.has(`${name}=${value}`));
}

function parseSection([heading = '', ...lines]: readonly string[]): ConfigSection {
  const title = /^# (\S.*)$/.exec(heading)?.[1];
  if (title === undefined) throw badConfig(`a section begins with its title, not with ${heading}`);
  const options = lines.map(parseOption);
  for (const [index, { name }] of options.entries()) {
    const before = options[index - 1]?.name;
    if (before !== undefined && before >= name) throw badConfig(`${name} comes after ${before}`);
  }
  return { title, options };
}

function parseOption(line: string): KernelOption {
  const [, name, value, reason] = OPTION.exec(line) ?? [];
  if (name === undefined || value === undefined || reason === undefined)
    throw badConfig(`no option with its reason: ${line}`);
  return { name, value, reason };
}

function requireOnce(options: readonly KernelOption[]): void {
  const names = options.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw badConfig(`${twice} is there twice`);
}

function badConfig(message: string): BuildError {
  return new BuildError('BAD_CONFIG', `stage1-kvm/kernel/config: ${message}`);
}
