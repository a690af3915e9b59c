import { CliError } from './error.ts';
import { type Flag, readFlag } from './flag.ts';

/** A flag's values in the order they were given. */
export type FlagValues = ReadonlyMap<string, readonly string[]>;

/** An image of the command line, the flags that follow it, and the arguments of its app. */
export interface ImageArguments {
  readonly image: string;
  readonly flags: FlagValues;
  readonly args: readonly string[];
}

export interface PodArguments {
  readonly flags: FlagValues;
  readonly images: readonly ImageArguments[];
}

export interface Grammar {
  /** Of the pod, anywhere in the command line. */
  readonly pod: readonly Flag[];
  /** Of the image before them. */
  readonly app: readonly Flag[];
  /** Those of the latter that are the pod's before the first image. */
  readonly both?: readonly Flag[];
}

/**
 * Reads rkt's multi-image command line:
 *
 *     [POD FLAGS] IMAGE [APP FLAGS] [-- APP ARGUMENTS [---]] IMAGE ...
 *
 * `--` begins the arguments of an image's app, `---` ends them; a stray `---` and empty arguments are passed over, as
 * in rkt. Throws CliError `usage`.
 */
export function parsePodArguments(args: readonly string[], grammar: Grammar): PodArguments {
  const pod = new ParsedPod(grammar);
  for (let at = 0; at < args.length; ) {
    const word = args[at] ?? '';
    if (word === '--') {
      const rest = args.slice(at + 1);
      const end = rest.indexOf('---');
      pod.takeArguments(end === -1 ? rest : rest.slice(0, end));
      at += end === -1 ? rest.length + 1 : end + 2;
    } else if (word === '---' || word === '') at += 1;
    else if (word.startsWith('-') && word !== '-') at += pod.takeFlag(args.slice(at));
    else {
      pod.takeImage(word);
      at += 1;
    }
  }
  return pod;
}

interface ParsedImage extends ImageArguments {
  readonly flags: Map<string, string[]>;
  args: readonly string[];
  hasArguments: boolean;
}

class ParsedPod implements PodArguments {
  readonly flags = new Map<string, string[]>();
  readonly images: ParsedImage[] = [];

  constructor(readonly grammar: Grammar) {}

  takeImage(image: string): void {
    this.images.push({ image, flags: new Map(), args: [], hasArguments: false });
  }

  takeArguments(args: readonly string[]): void {
    const image = this.images.at(-1);
    if (image === undefined) throw new CliError('usage', 'an image is required before any app arguments');
    if (image.hasArguments) throw new CliError('usage', 'only one set of app arguments allowed per image');
    image.hasArguments = true;
    image.args = args;
  }

  /** Returns how many arguments it took. */
  takeFlag(args: readonly string[]): number {
    const { pod, app, both = [] } = this.grammar;
    const use = readFlag([...pod, ...app], args);
    if (use === undefined) throw new CliError('usage', `unknown flag: ${args[0]?.split('=')[0]}`);
    const name = use.flag.name();
    const isOfPod = pod.includes(use.flag) || (this.images.length === 0 && both.includes(use.flag));
    const values = isOfPod ? this.flags : this.images.at(-1)?.flags;
    if (values === undefined) throw new CliError('usage', `--${name} must follow an image`);
    values.set(name, [...(values.get(name) ?? []), use.value]);
    return use.length;
  }
}
