import { expect } from 'vitest';
import type { CallPoint } from '../crash/system-calls.ts';
import { killedAt, recorded, wasKilled } from '../crash/system-calls.ts';
import { eventually } from '../polling.ts';
import { killAt, release, WAYS, type Way } from './killing.ts';
import { more } from './marks.ts';
import { BRIDGED, BROKEN, CABLE } from './networks.ts';
import { ownCalls } from './own-calls.ts';
import type { RunPoint } from './recording.ts';
import type { CrashSite } from './site.ts';

/** What is going on when somebody is killed. */
const DRIVES = {
  start: { about: 'rkt run, while networks are made', networks: [CABLE, BRIDGED], commands: ['ADD'] },
  undo: {
    about: 'rkt run, whose last network is broken, while the others are taken away',
    networks: [CABLE, BRIDGED, BROKEN],
    commands: ['DEL'],
  },
  collect: {
    about: 'rkt gc of a pod that was killed',
    networks: [CABLE, BRIDGED],
    commands: ['DEL', 'none'],
  },
} as const;
type Drive = keyof typeof DRIVES;
const GC = ['gc', '--grace-period=0s'];

/** Where somebody is killed: a program that the trap knows, or the supervisor itself. */
type Target =
  | { readonly kind: 'trapped'; readonly drive: Drive; readonly point: RunPoint }
  | { readonly kind: 'supervisor'; readonly drive: Drive; readonly point: CallPoint };

/** Targets of one program in one drive; each has its share of the crashes. */
type Stratum = readonly Target[];

/**
 * Kills plugins, what they start, and who has started them, at system calls that they are known to make while a pod's networks come
 * and go. After each crash `gc` must leave what was there before any pod, which is another container's.
 */
export class NetworkCrashCampaign {
  killed = 0;
  missed = 0;
  readonly #found = new Map<string, Way[]>();
  #deck: Stratum[] = [];
  #strata: readonly Stratum[] = [];

  private constructor(
    readonly site: CrashSite,
    readonly random: () => number,
  ) {}

  static async start(site: CrashSite, random: () => number): Promise<NetworkCrashCampaign> {
    const campaign = new NetworkCrashCampaign(site, random);
    await campaign.#record();
    return campaign;
  }

  /** Runs every drive once and notes the system calls. */
  async #record(): Promise<void> {
    const { site } = this;
    const log = site.rkt.path('own');
    const run = site.runArgv(DRIVES.undo.networks);
    const points = await site.trap.record(() => site.rkt.startArgv(recorded(log, run)).finished);
    await this.#inOrder('the recording of a run');
    await site.trapCollector();
    await site.leavePod();
    const collecting = await site.trap.record(() => site.rkt.run(GC));
    await this.#inOrder('the recording of gc');
    const trapped = (drive: Drive, found: readonly RunPoint[]): Target[] =>
      found
        .filter(({ command }) => DRIVES[drive].commands.some((one) => one === command))
        .map((point) => ({ kind: 'trapped', drive, point }));
    this.#strata = strata([
      ...trapped('start', points),
      ...trapped('undo', points),
      ...trapped('collect', collecting),
      ...ownCalls(log).map((point): Target => ({ kind: 'supervisor', drive: 'undo', point })),
    ]);
  }

  async crash(): Promise<void> {
    const target = this.#deal();
    const way = this.#pick(WAYS);
    const what = `${stepOf(target)}, at ${target.point.call} ${target.point.nth}, ${way}`;
    const hit =
      target.kind === 'trapped'
        ? await this.#trapped(target, way, what)
        : await this.#supervisor(target, what);
    if (hit) {
      this.killed += 1;
      const step = stepOf(target);
      this.#found.set(step, [...(this.#found.get(step) ?? []), target.kind === 'trapped' ? way : 'leader']);
    } else this.missed += 1;
  }

  async #trapped(
    { drive, point }: Target & { readonly kind: 'trapped' },
    way: Way,
    what: string,
  ): Promise<boolean> {
    const { site } = this;
    const { rkt, trap } = site;
    if (drive === 'collect') await site.leavePod();
    trap.arm(point);
    const argv = drive === 'collect' ? rkt.argv(GC) : site.runArgv(DRIVES[drive].networks);
    const command = rkt.startArgv(argv);
    const thread = await eventually('the point is reached, or the command has ended', () =>
      command.ended ? 'ended' : trap.caught(point),
    );
    if (thread !== 'ended') await killAt(way, { thread, leader: command.pid, scope: rkt.scope });
    trap.disarm();
    // The plugin's supervisor, or collector, lives, and what it starts next is not to be stopped where this one was.
    if (way === 'plugin') {
      release(rkt.scope);
      await command.finished;
    }
    // Whoever was left behind is still there when the next one comes.
    const next = way === 'leader' ? await site.startCollector(GC) : rkt.start(GC);
    release(rkt.scope);
    await command.finished;
    await this.#inOrder(what, next);
    return thread !== 'ended';
  }

  async #supervisor(
    { drive, point }: Target & { readonly kind: 'supervisor' },
    what: string,
  ): Promise<boolean> {
    const { rkt } = this.site;
    const log = rkt.path('crash');
    await rkt.startArgv(killedAt(point, log, this.site.runArgv(DRIVES[drive].networks))).finished;
    await this.#inOrder(what);
    return wasKilled(log);
  }

  /** `gc` takes away all that is the pods', and nothing that is not. */
  async #inOrder(what: string, gc = this.site.rkt.start(GC)): Promise<void> {
    const { site } = this;
    const { code, stderr } = await gc.finished;
    const now = await site.marks();
    expect(
      {
        code,
        left: [...more(now, site.before), ...(await site.leftAlive())],
        lost: more(site.before, now),
      },
      `after ${what}; gc has said: ${stderr}`,
    ).toEqual({ code: 0, left: [], lost: [] });
  }

  /** How many have died where, and how. */
  text(): string {
    const width = Math.max(...[...this.#found.keys()].map((step) => step.length));
    const rows = [...this.#found].sort().map(([step, ways]) => {
      const counts = WAYS.map((way) => ({ way, count: ways.filter((one) => one === way).length }));
      const told = counts.filter(({ count }) => count > 0).map(({ way, count }) => `${count} ${way}`);
      return `  ${step.padEnd(width)} ${String(ways.length).padStart(3)}  ${'#'.repeat(ways.length)}  ${told.join(', ')}\n`;
    });
    return rows.join('');
  }

  /** Each stratum in its turn, in an order of chance. */
  #deal(): Target {
    if (this.#deck.length === 0) this.#deck.push(...this.#strata);
    const [stratum = []] = this.#deck.splice(Math.floor(this.random() * this.#deck.length), 1);
    const calls = [...new Set(stratum.map(({ point }) => point.call))];
    const call = this.#pick(calls);
    return this.#pick(stratum.filter(({ point }) => point.call === call));
  }

  #pick<T>(list: readonly T[]): T {
    const chosen = list[Math.floor(this.random() * list.length)];
    if (chosen === undefined) throw new RangeError('nothing to pick from');
    return chosen;
  }
}

function stepOf(target: Target): string {
  if (target.kind === 'supervisor') return `${target.drive}: the supervisor`;
  const { program, command } = target.point;
  return command === 'none'
    ? `${target.drive}: stage1's ${program}`
    : `${target.drive}: ${command} of ${program}`;
}

function strata(targets: readonly Target[]): Stratum[] {
  const found = new Map<string, Target[]>();
  for (const target of targets) found.set(stepOf(target), [...(found.get(stepOf(target)) ?? []), target]);
  return [...found.values()];
}
