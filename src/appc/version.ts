import { refuse } from './errors.ts';
import { type Cursor, type Grammar, quote, word } from './json.ts';

/** A semantic version (semver.org 2.0.0), as in acVersion. */
export type SemVer = string & { readonly semVer: true };

const semVer: Grammar<SemVer> = {
  noun: 'a semantic version (1.2.3)',
  is: (text): text is SemVer =>
    text.length <= 256 && /^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$/.test(text),
};

/** The version of the specification that manifests are written in. */
export const acVersion = literalSemVer('0.8.11');

const readSemVer = word(semVer);

/** Refuses another major version: it may mean other things by the same words. */
export function readACVersion(at: Cursor): SemVer {
  const version = readSemVer(at);
  if (majorOf(version) !== majorOf(acVersion)) {
    throw refuse(
      'unsupported-version',
      at.path,
      `version ${quote(version)} is not understood, ${acVersion} is`,
    );
  }
  return version;
}

function majorOf(version: SemVer): string {
  return version.slice(0, version.indexOf('.'));
}

function literalSemVer(text: string): SemVer {
  return word(semVer)({ value: text, path: '', refuse });
}
