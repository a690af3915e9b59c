/** The entrypoint `rehearsal`: the app of a spare machine before there is a pod. It does what most programs do first, so that the machine knows how. */
import { EXIT } from '../src/abi/exit-code.ts';
import { readText } from '../src/native/contents.ts';
import { readdir } from '../src/native/directories.ts';
import { utf8Encode } from '../src/native/engine.ts';
import { writeAll } from '../src/native/files.ts';
import { statIfPresent } from '../src/native/stat.ts';

const STDOUT = 1;

export function rehearsal(): number {
  const names = readdir('/');
  const lines = readText('/etc/hosts').split('\n').length;
  for (const name of names) statIfPresent(`/${name}`);
  writeAll(STDOUT, utf8Encode(`${names.length} names, ${lines} lines\n`));
  return EXIT.ok;
}
