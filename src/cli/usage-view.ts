import { LiveTable } from './live-table.ts';
import { print, warn } from './output.ts';
import { printable } from './printable.ts';
import type { Round } from './sampling.ts';
import { standardOutput } from './standard-output.ts';
import { type UsageOrder, usageTable } from './usage-table.ts';

/** Shows one round after the other: at a terminal in one place, elsewhere below each other. */
export class UsageView implements Disposable {
  readonly #command: string;
  readonly #order: UsageOrder;
  readonly #live = standardOutput().isTTY ? new LiveTable(standardOutput()) : undefined;
  #rounds = 0;
  #warned: readonly string[] = [];

  constructor(command: string, order: UsageOrder) {
    this.#command = command;
    this.#order = order;
  }

  show({ pods, problems }: Round): void {
    const table = usageTable(pods, this.#order);
    if (this.#live === undefined) {
      print(this.#rounds++ === 0 ? table : `\n${table}`);
      this.warnOf(problems);
    } else {
      const below = problems.map((problem) => `${printable(problem)}\n`).join('');
      this.#live.show(below === '' ? table : `${table}\n${below}`);
    }
  }

  /** Once as long as it stays so. */
  warnOf(problems: readonly string[]): void {
    for (const problem of problems) if (!this.#warned.includes(problem)) warn(this.#command, problem);
    this.#warned = problems;
  }

  [Symbol.dispose](): void {
    this.#live?.[Symbol.dispose]();
  }
}
