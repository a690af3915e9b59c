/**
 * Calls of the kernel by an app, whatever programs its root has: `call NUMBER ARGUMENT... [-- NUMBER ARGUMENT...]`. Arguments are numbers,
 * `result` for what the call before gave, `hex:` and bytes, or else text. Prints `ok`, or the name of the error, for each call.
 */
import { type Argument, argv, exit, rawSyscall, utf8Encode } from '../../../src/native/engine.ts';
import { errnoName } from '../../../src/native/errno.ts';
import { writeAll } from '../../../src/native/files.ts';

let result = 0;

function parseArgument(text: string): Argument {
  if (text === 'result') return result;
  if (/^-?\d+$/.test(text)) return Number(text);
  if (!text.startsWith('hex:')) return text;
  return Uint8Array.from(text.slice(4).match(/../g) ?? [], (digits) => Number.parseInt(digits, 16));
}

const [, ...words] = argv();
while (words.length > 0) {
  const end = words.indexOf('--');
  const [number, ...rest] = words.splice(0, end < 0 ? words.length : end + 1);
  const texts = end < 0 ? rest : rest.slice(0, -1);
  result = rawSyscall(Number(number), ...texts.map(parseArgument));
  writeAll(1, utf8Encode(`${result < 0 ? errnoName(-result) : 'ok'}\n`));
}
exit(0);
