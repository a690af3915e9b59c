import { writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { type Analysis, analyze } from '../stage0/analyze.ts';
import { openHost } from '../stage0/host.ts';
import { CliError } from './error.ts';
import { choice, Flag, value } from './flag.ts';
import { jsonText } from './format-flag.ts';
import { type GlobalValues, hostOptions } from './global-flags.ts';
import { print, warn } from './output.ts';
import { startUpSvg } from './start-up-svg.ts';
import { analysisJson, analysisTable } from './start-up-table.ts';
import { subcommand } from './subcommand.ts';

const FORMATS = ['text', 'json', 'json-pretty', 'svg'] as const;
type Format = (typeof FORMATS)[number];

interface Values extends GlobalValues {
  readonly format?: Format;
  readonly output?: string;
}

export function analyzeCommand(summary: string): Command {
  const format = new Flag('format', choice('FORMAT', FORMATS), 'text, json, json-pretty or svg');
  format.argParser(parseFormat);
  const output = new Flag(
    'output',
    value('FILE'),
    'write it to a file, as svg unless --format says otherwise',
  );
  return subcommand('analyze', summary, [format, output], 'UUID')
    .argument('<UUID>')
    .allowExcessArguments(false)
    .action((uuid: string, { format: given, output: path, ...values }: Values) => {
      const analysis = analyze(openHost(hostOptions(values)), uuid);
      const text = render(analysis, given ?? (path === undefined ? 'text' : 'svg'));
      if (path === undefined) print(text);
      else save(path, text);
      if (!analysis.isReady) warn('analyze', 'the pod did not get ready: what is shown is what it came to');
    });
}

function render(analysis: Analysis, format: Format): string {
  switch (format) {
    case 'text':
      return analysisTable(analysis);
    case 'json':
    case 'json-pretty':
      return jsonText(analysisJson(analysis), format);
    case 'svg':
      return startUpSvg(analysis);
    default:
      return format satisfies never;
  }
}

function save(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CliError('usage', `--output=${path}: ${reason}`, { cause });
  }
}

function parseFormat(text: string): Format {
  const format = FORMATS.find((known) => known === text);
  if (format === undefined)
    throw new CliError('usage', `--format: expected ${FORMATS.join(', ')}, got ${JSON.stringify(text)}`);
  return format;
}
