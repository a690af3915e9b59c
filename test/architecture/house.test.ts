import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PROGRAM_FOLDERS } from './import-rules.ts';
import { ROOT, sourceFiles } from './source-tree.ts';

const files = [...PROGRAM_FOLDERS, 'tools', 'bench'].flatMap(sourceFiles);
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');

test('files stay short enough to read in one sitting', () => {
  const long = files.filter((file) => read(file).split('\n').length > 301);
  expect(long).toEqual([]);
});

test('file names are nouns in kebab-case, and none is a drawer for everything', () => {
  const names = files.map((file) => file.split('/').at(-1) ?? '');
  expect(names.filter((name) => !/^[a-z0-9]+(-[a-z0-9]+)*(\.d)?\.m?ts$/.test(name))).toEqual([]);
  expect(names.filter((name) => /^(utils?|helpers?|common|misc|manager|service)\.ts$/.test(name))).toEqual(
    [],
  );
});

test('only main.ts ends the command, and only cli and main write to its streams', () => {
  const nodeSide = files.filter((file) => /^src\/(?!native|supervisor)/.test(file));
  expect(nodeSide.filter((file) => file !== 'src/main.ts' && /process\.exit\(/.test(read(file)))).toEqual([]);
  const writers = nodeSide.filter((file) => /process\.std(out|err)|console\./.test(read(file)));
  expect(writers.filter((file) => !file.startsWith('src/cli/') && file !== 'src/main.ts')).toEqual([]);
});

test('what is tracked names no machine it was written on', () => {
  const tracked = execFileSync('git', ['ls-files', '-z'], { cwd: ROOT, encoding: 'utf8' }).split('\0');
  const isText = (file: string) => /\.(ts|mjs|md|json|c|sh|yml)$/.test(file) && file !== 'package-lock.json';
  const text = tracked.filter((file) => isText(file) && existsSync(join(ROOT, file)));
  const marks = /(^|[^\w}.-])\/(work|farm)\/|deb\.debian\.org/m;
  expect(text.filter((file) => !file.startsWith('test/architecture/') && marks.test(read(file)))).toEqual([]);
});
