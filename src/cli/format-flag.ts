import { CliError } from './error.ts';
import { choice, Flag } from './flag.ts';
import { formatJson, type JsonValue } from './json.ts';
import { printableLines } from './printable.ts';

export type OutputFormat = 'text' | 'json' | 'json-pretty';

export function formatFlag(): Flag {
  const flag = new Flag('format', choice('FORMAT', ['json', 'json-pretty']), 'json or json-pretty');
  flag.argParser(parseFormat);
  return flag;
}

/** What a command prints in JSON. */
export function jsonText(json: JsonValue, format: 'json' | 'json-pretty'): string {
  return printableLines(`${formatJson(json, format === 'json-pretty' ? '\t' : '')}\n`);
}

function parseFormat(text: string): OutputFormat {
  switch (text) {
    case '':
      return 'text';
    case 'json':
    case 'json-pretty':
      return text;
    default:
      throw new CliError('usage', `--format: expected json or json-pretty, got ${JSON.stringify(text)}`);
  }
}
