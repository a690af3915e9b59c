// JSON leaves them as they are: DEL and C1 controls, separators of lines, what turns the direction of text around.
const CONTROLS = /[\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** A value as JSON of one line that a terminal only shows, whoever wrote it. */
export function quotation(value: unknown): string {
  const json = JSON.stringify(value) ?? String(value);
  return json.replace(CONTROLS, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
