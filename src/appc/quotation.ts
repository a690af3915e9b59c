// C0 and C1 controls, separators of lines, what turns the direction of text around. JSON leaves most of them as they are.
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** A value as JSON of one line that a terminal only shows, whoever wrote it. */
export function quotation(value: unknown): string {
  return withoutControls(JSON.stringify(value) ?? String(value));
}

/** Text with controls as JSON would write them. */
export function withoutControls(text: string): string {
  return text.replace(CONTROLS, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
