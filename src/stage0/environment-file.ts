import type { EnvironmentVariable } from '../appc/index.ts';
import { isEnvironmentName } from '../appc/index.ts';
import { Stage0Error } from './errors.ts';

/** Reads `NAME=VALUE`. Throws Stage0Error `bad-request`, starting with `where`. */
export function parseVariable(text: string, where: string): EnvironmentVariable {
  const equals = text.indexOf('=');
  const name = text.slice(0, equals);
  if (equals < 1)
    throw refusal(where, `environment variable must be specified as name=value, got ${quote(text)}`);
  if (!isEnvironmentName(name))
    throw refusal(where, `${quote(name)} is not a name of an environment variable`);
  return { name, value: text.slice(equals + 1) };
}

/**
 * Reads the text of a `--set-env-file`: a variable a line; empty lines and those that start with `#` or `;` are comments.
 * A name that comes twice is an error, as in rkt.
 */
export function parseEnvironmentFile(text: string, path: string): EnvironmentVariable[] {
  const variables = new Map<string, EnvironmentVariable>();
  text.split('\n').forEach((line, index) => {
    if (/^\s*([#;]|$)/.test(line)) return;
    const where = `${path}:${index + 1}`;
    const variable = parseVariable(line, where);
    if (variables.has(variable.name))
      throw refusal(where, `environment variable ${quote(variable.name)} is set twice`);
    variables.set(variable.name, variable);
  });
  return [...variables.values()];
}

function refusal(where: string, problem: string): Stage0Error {
  return new Stage0Error('bad-request', `${where}: ${problem}`);
}

const quote = (text: string) => JSON.stringify(text);
