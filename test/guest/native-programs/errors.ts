import { readText } from '../../../src/native/contents.ts';
import { argv, exit, utf8Encode } from '../../../src/native/engine.ts';
import { writeAll } from '../../../src/native/files.ts';

const say = (text: string) => writeAll(1, utf8Encode(`${text}\n`));

class Held {
  constructor(private readonly name: string) {}

  [Symbol.dispose](): void {
    say(`released ${this.name}`);
  }
}

function failing(): void {
  using _held = new Held('before the error');
  readText('/no/such/file');
}

const scenes: Readonly<Record<string, () => void>> = {
  thrown: failing,
  caused: () => {
    try {
      failing();
    } catch (cause) {
      throw new Error('cannot read the plan', { cause });
    }
  },
  rejected: () => {
    Promise.reject(new Error('nobody listens'));
    say('before the jobs');
  },
  async: () => {
    (async () => {
      await undefined;
      failing();
    })();
  },
  handled: () => {
    const rejected = Promise.reject(new Error('somebody listens'));
    Promise.resolve().then(() => rejected.catch(() => say('handled')));
  },
  deep: () => {
    const recurse = (n: number): number => recurse(n + 1) + 1;
    recurse(0);
  },
  string: () => {
    throw 'only text';
  },
  exit: () => {
    using _held = new Held('never');
    exit(7);
  },
};

const scene = scenes[argv()[1] ?? ''];
if (scene === undefined) exit(2);
scene();
