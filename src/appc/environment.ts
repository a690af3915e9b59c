import { arrayOf, type Cursor, expected, fields, kernelString, string, unique } from './json.ts';

export interface EnvironmentVariable {
  readonly name: string;
  readonly value: string;
}

/** appc 0.8.11: letters, digits, underscore, dot and hyphen, not starting with a digit, dot or hyphen. */
export function isEnvironmentName(name: string): boolean {
  return /^[A-Za-z_][A-Za-z_0-9.-]*$/.test(name);
}

export function readEnvironment(at: Cursor): readonly EnvironmentVariable[] {
  const environment = arrayOf(readVariable)(at);
  unique(at, environment, (variable) => variable.name, 'environment variable');
  return environment;
}

/** Later variables replace earlier ones of the same name, in their place. */
export function mergeEnvironments(
  ...environments: readonly (readonly EnvironmentVariable[])[]
): readonly EnvironmentVariable[] {
  return [...new Map(environments.flat().map((variable) => [variable.name, variable])).values()];
}

function readVariable(at: Cursor): EnvironmentVariable {
  const variable = fields(at);
  return {
    name: variable.required('name', readName),
    value: variable.optional('value', kernelString) ?? '',
  };
}

function readName(at: Cursor): string {
  const name = string(at);
  if (!isEnvironmentName(name)) {
    throw expected(at, 'the name of an environment variable (letters, digits, _ . -)', 'invalid-value');
  }
  return name;
}
