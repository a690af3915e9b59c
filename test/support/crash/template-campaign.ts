import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect } from 'vitest';
import { TEMPLATE, TEMPLATE_DRAFT, TEMPLATE_LOCK } from '../../../src/abi/templates.ts';
import { assertNothingLeft, hostState, liveLeftovers } from '../leaks.ts';
import { eventually } from '../polling.ts';
import type { ScopeProcess } from '../process-scope.ts';
import type { RktHome } from '../rkt.ts';
import { noneIsMade } from '../templates.ts';
import { type CallPoint, killedAt, readRecording, recorded, wasKilled } from './system-calls.ts';

/** The template that is there before; `unfit`: of the same name, and of another QEMU. */
type Before = 'none' | 'whole' | 'unfit';

/** Who is killed, and where it was; undefined: it had ended before. */
interface Victim {
  readonly name: string;
  readonly before: Before;
  kill(): Promise<string | undefined>;
}

/** How far a machine's saving is, by what is there of it. What comes later goes by too fast to be met. */
const STAGES: readonly string[] = [TEMPLATE_DRAFT, join(TEMPLATE_DRAFT, 'template', TEMPLATE.state)];

/**
 * Kills whoever makes or removes saved machines, and sees that what is left is in nobody's way: commands understand it, pods start,
 * `gc` takes it away, and a next machine is saved and started from.
 */
export class TemplateCampaign {
  /** By name of who was. */
  readonly killed = new Map<string, number>();
  readonly #rkt: RktHome;
  readonly #image: string;
  readonly #random: () => number;
  readonly #scope: string;
  readonly #before = hostState();
  #victims: readonly Victim[] = [];
  #key = '';

  /** `rkt` has templates for the host, and none is there. */
  constructor(rkt: RktHome, image: string, random: () => number) {
    this.#rkt = rkt;
    this.#image = image;
    this.#random = random;
    this.#scope = join(rkt.dir, 'templates/host');
  }

  get names(): string[] {
    return this.#victims.map(({ name }) => name);
  }

  /** Finds out what programs there are to kill. */
  async begin(): Promise<void> {
    const rkt = this.#rkt;
    const build = rkt.argv(['template', 'build']);
    const building = rkt.startArgv(build);
    // Itself: tracing what commands start would trace the machine.
    const { argv: maker } = await eventually('a machine is being saved', () => this.#maker());
    this.#key = (await building.finished).stdout.trim();
    const remove = rkt.argv(['template', 'rm', this.#key]);
    const collect = rkt.argv(['gc', '--expire-templates=0s']);
    this.#victims = [
      this.#command('template rm', remove, 'whole'),
      this.#command('template build', build, 'none'),
      this.#command('gc', collect, 'whole'),
      this.#command('who saves for template build', maker, 'none'),
      this.#command('who saves in place of another', maker, 'unfit'),
      { name: 'who saves in the background', before: 'none', kill: () => this.#killInBackground('one') },
      { name: 'all, saving in the background', before: 'none', kill: () => this.#killInBackground('all') },
    ];
  }

  /** Throws what does not hold after a crash, with what was done. */
  async round(name: string): Promise<void> {
    const victim = this.#victims.find((each) => each.name === name);
    if (victim === undefined) throw new RangeError(`nobody is ${name}`);
    await this.#prepare(victim.before);
    const where = await victim.kill();
    if (where !== undefined) this.killed.set(victim.name, (this.killed.get(victim.name) ?? 0) + 1);
    try {
      await this.#inOrder();
    } catch (cause) {
      const what = cause instanceof Error ? cause.message : String(cause);
      throw new Error(`after ${victim.name} killed at ${where}: ${what}`, { cause });
    }
  }

  #command(name: string, argv: readonly string[], before: Before): Victim {
    let points: readonly CallPoint[][] | undefined;
    return {
      name,
      before,
      kill: async () => {
        points ??= await this.#recorded(argv);
        await this.#prepare(before);
        return await this.#killAtCall(argv, points);
      },
    };
  }

  /** Has it do its work once, undisturbed. */
  async #recorded(argv: readonly string[]): Promise<CallPoint[][]> {
    const log = this.#rkt.path('recording');
    await this.#start(recorded(log, argv));
    return byName(readRecording(log, 'none'));
  }

  async #start(argv: readonly string[]): Promise<void> {
    await this.#rkt.startArgv(argv, { cwd: this.#rkt.dir }).finished;
  }

  async #prepare(before: Before): Promise<void> {
    if (before === 'none') {
      await this.#rkt.output(['gc', '--expire-templates=0s']);
      return;
    }
    await this.#rkt.output(['template', 'build']);
    if (before === 'whole') return;
    const record = join(this.#scope, this.#key, TEMPLATE.record);
    writeFileSync(record, readFileSync(record, 'utf8').replace(/"qemu [^"]*"/, '"qemu other"'));
  }

  async #killAtCall(argv: readonly string[], calls: readonly CallPoint[][]): Promise<string | undefined> {
    const point = this.#pick(this.#pick(calls));
    const log = this.#rkt.path('crash');
    await this.#start(killedAt(point, log, argv));
    return wasKilled(log) ? `${point.call} ${point.nth}` : undefined;
  }

  async #killInBackground(who: 'one' | 'all'): Promise<string | undefined> {
    const { scope } = this.#rkt;
    const stage = this.#pick(STAGES);
    const pod = this.#rkt.start(['run', '--net=none', this.#image]);
    await eventually('a machine is being saved', () => this.#maker() !== undefined);
    const isSoFar = () => existsSync(join(this.#scope, stage)) || this.#maker() === undefined;
    await eventually('it is so far', isSoFar);
    const maker = this.#maker();
    // First of all: it would take the death of its machine for a kind that cannot be saved.
    if (maker !== undefined) kill(maker.pid);
    if (who === 'all') scope.killAll();
    await pod.finished;
    return maker === undefined ? undefined : stage;
  }

  #maker(): ScopeProcess | undefined {
    return this.#rkt.scope.processes().find(({ argv: [program = ''] }) => basename(program) === 'template');
  }

  async #inOrder(): Promise<void> {
    const rkt = this.#rkt;
    // Of a command that was killed the program which saves goes on, and ends by itself.
    await eventually('nobody is left', () => liveLeftovers(rkt.scope, rkt.dir).length === 0);
    const { code, stdout, stderr } = await rkt.run(['template', 'list', '--format=json']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const listed: readonly { readonly key: string }[] = JSON.parse(stdout) ?? [];
    expect(listed.map(({ key }) => key)).toEqual(this.#keys());
    // The first may find none that fits it.
    await this.#podRuns();
    await noneIsMade(rkt);
    await this.#clean();
    expect(await this.#podRuns()).toMatch(/starts from the template [0-9a-f]{16}/);
    expect(await rkt.output(['template', 'build'])).toBe(`${this.#key}\n`);
    await this.#clean();
  }

  /** Gives what it says of its start. */
  async #podRuns(): Promise<string> {
    const args = ['--debug', 'run', '--rm', '--net=none', this.#image];
    const { code, stdout, stderr } = await this.#rkt.run(args);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'hello from the image\n' });
    return stderr;
  }

  /** What is there after `gc` is whole. */
  async #clean(): Promise<void> {
    const rkt = this.#rkt;
    const pods = rkt.notePods();
    await rkt.output(['gc', '--grace-period=0s']);
    await assertNothingLeft(this.#before, rkt.scope, rkt.dir, pods);
    expect(readdirSync(this.#scope).sort()).toEqual([TEMPLATE_LOCK, ...this.#keys()]);
    const files = expect.arrayContaining(Object.values(TEMPLATE));
    for (const key of this.#keys()) expect(readdirSync(join(this.#scope, key))).toEqual(files);
  }

  #keys(): string[] {
    const isKey = (name: string) => /^[0-9a-f]{16}$/.test(name);
    return readdirSync(this.#scope).filter(isKey).sort();
  }

  #pick<T>(list: readonly T[]): T {
    const chosen = list[Math.floor(this.#random() * list.length)];
    if (chosen === undefined) throw new RangeError('nothing to pick from');
    return chosen;
  }
}

/** Calls of one name are as likely as those of another, however many they are. */
function byName(points: readonly CallPoint[]): CallPoint[][] {
  const names = [...new Set(points.map(({ call }) => call))];
  return names.map((name) => points.filter(({ call }) => call === name));
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}
