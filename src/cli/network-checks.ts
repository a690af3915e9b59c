/** How `status` shows what plugins say of a pod's networks. */
import type { NetworkCheck } from '../stage0/network-checks.ts';
import type { JsonValue } from './json.ts';
import { printable } from './printable.ts';

/** `network-default=ok`, and what is wrong with one that is not. */
export function checkLines(checks: readonly NetworkCheck[]): string {
  return checks
    .map(({ network, verdict, problem }) => {
      const reason = problem === '' ? '' : `: ${printable(problem)}`;
      return `network-${network}=${verdict}${reason}\n`;
    })
    .join('');
}

export function checksJson(checks: readonly NetworkCheck[]): JsonValue {
  return checks.map(({ network, verdict, problem }) => ({
    network,
    verdict,
    problem: problem === '' ? undefined : problem,
  }));
}
