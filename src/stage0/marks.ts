import { type Annotation, parseAnnotations, type StringMap } from '../appc/index.ts';
import { Stage0Error } from './errors.ts';

/** What is said of an app or of a pod as a whole, for people and their tools. */
export interface Marks {
  readonly annotations: readonly Annotation[];
  readonly userAnnotations: StringMap;
  readonly userLabels: StringMap;
}

export const NO_MARKS: Marks = { annotations: [], userAnnotations: {}, userLabels: {} };

/** As flags give them, each `KEY=VALUE`. */
export interface MarkTexts {
  readonly annotations: readonly string[];
  readonly userAnnotations: readonly string[];
  readonly userLabels: readonly string[];
}

/** Of a key that is given twice the later value counts, as in rkt. Throws Stage0Error `bad-request`. */
export function parseMarks(texts: MarkTexts): Marks {
  const annotations = Object.entries(parsePairs('--annotation', texts.annotations));
  return {
    annotations: checked(annotations.map(([name, value]) => ({ name, value }))),
    userAnnotations: parsePairs('--user-annotation', texts.userAnnotations),
    userLabels: parsePairs('--user-label', texts.userLabels),
  };
}

/** Names of annotations are identifiers of appc, and some have a form for their values; what users call theirs is up to them. */
function checked(annotations: readonly { readonly name: string; readonly value: string }[]) {
  try {
    return parseAnnotations(annotations);
  } catch (cause) {
    throw new Stage0Error('bad-request', '--annotation', { cause });
  }
}

/** Throws Stage0Error `bad-request`. */
export function parsePairs(flag: string, texts: readonly string[]): StringMap {
  return Object.fromEntries(
    texts.map((text): [string, string] => {
      const at = text.indexOf('=');
      if (at < 1) throw new Stage0Error('bad-request', `${flag}: ${JSON.stringify(text)} is not KEY=VALUE`);
      return [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}
