import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { POD } from '../../src/abi/pod-directory.ts';
import { podUUIDFromOctets } from '../../src/appc/index.ts';
import { randomFrom } from '../../test/support/random.ts';
import { timed } from '../measure/timed.ts';
import { startPod } from './running-pod.ts';

/** What is copied: pods that `rkt` itself has made. */
type Original = 'exited' | 'killed' | 'prepared' | 'aborted';

interface Share {
  readonly of: Original;
  readonly phase: string;
  readonly count: number;
}

/** With the two that run, a hundred. */
const SHARES: readonly Share[] = [
  { of: 'exited', phase: 'run', count: 36 },
  { of: 'killed', phase: 'run', count: 6 },
  { of: 'prepared', phase: 'prepared', count: 20 },
  { of: 'aborted', phase: 'prepare', count: 10 },
  { of: 'exited', phase: 'exited-garbage', count: 15 },
  { of: 'killed', phase: 'exited-garbage', count: 3 },
  { of: 'prepared', phase: 'garbage', count: 8 },
];

/** Pods in every state that lasts, on a data directory of their own. */
export class ManyPods {
  readonly #pods: string;
  readonly #originals: string;

  constructor(
    readonly dataDirectory: string,
    scratch: string,
    readonly rkt: (args: readonly string[]) => string[],
  ) {
    this.#pods = join(dataDirectory, 'pods');
    this.#originals = join(scratch, 'originals');
    mkdirSync(this.#originals);
  }

  get count(): number {
    return SHARES.reduce((sum, { count }) => sum + count, 0);
  }

  /** Makes one pod of each kind and takes it away, to be copied. */
  async makeOriginals(image: string): Promise<void> {
    await timed(this.rkt(['run', '--net=none', image]));
    this.#keep('exited', 'run');
    await this.#kill(image);
    await timed(this.rkt(['prepare', image]));
    this.#keep('prepared', 'prepared');
    const file = join(this.#originals, 'uuid');
    const absent = [
      'run',
      '--net=none',
      `--uuid-file-save=${file}`,
      '--pull-policy=never',
      'example.com/absent',
    ];
    await timed(['sh', '-c', '! "$@" 2>/dev/null', 'sh', ...this.rkt(absent)]);
    this.#keep('aborted', 'prepare');
  }

  /** Puts all of them there. */
  fill(): void {
    const random = randomFrom(1);
    for (const { of, phase, count } of SHARES)
      for (let n = 0; n < count; n++) {
        const octets = Uint8Array.from({ length: 16 }, () => Math.floor(random() * 256));
        this.#copy(of, join(this.#pods, phase), podUUIDFromOctets(octets));
      }
  }

  /** How many pods there are now. */
  left(): number {
    return readdirSync(this.#pods).reduce(
      (sum, phase) => sum + readdirSync(join(this.#pods, phase)).length,
      0,
    );
  }

  /** What is left of it outside goes; its copies get some of their own. */
  async #kill(image: string): Promise<void> {
    const pod = await startPod(this.rkt, image);
    await pod.end('SIGKILL');
    const [uuid = ''] = readdirSync(join(this.#pods, 'run'));
    const left = join(this.#pods, 'run', uuid);
    // Node copies no sockets.
    rmSync(join(left, POD.control));
    copyTree(left, join(this.#originals, 'killed'));
    await timed(this.rkt(['rm', uuid]));
  }

  #keep(name: Original, phase: string): void {
    const [uuid = ''] = readdirSync(join(this.#pods, phase));
    renameSync(join(this.#pods, phase, uuid), join(this.#originals, name));
  }

  #copy(of: Original, phase: string, uuid: string): void {
    const target = join(phase, uuid);
    rmSync(target, { recursive: true, force: true });
    copyTree(join(this.#originals, of), target);
    if (of === 'killed') leaveGroups(join(target, POD.cgroups), uuid);
  }
}

/** Those that the original has recorded, as if they were this pod's. */
function leaveGroups(file: string, uuid: string): void {
  const recorded = readFileSync(file, 'utf8').replaceAll(/rkt-[0-9a-f-]{36}/g, `rkt-${uuid}`);
  writeFileSync(file, recorded);
  for (const path of recorded.trim().split('\n')) mkdirSync(path, { recursive: true });
}

function copyTree(from: string, to: string): void {
  cpSync(from, to, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
}
