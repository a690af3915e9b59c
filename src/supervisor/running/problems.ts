/**
 * By code, what explains least first. Every other failure breaks channels, too; a machine also ends because the pod of a guest
 * that broke the protocol does; and what the guest's init says of itself is the most there is.
 */
const RANKS = ['', 'channel-lost', 'share-ended', 'vessel-failed', 'guest-broken', 'guest-failed'];

/** What a pod failed of, out of all that was noticed until it was over; of equals the first. */
export function explain(problems: readonly Error[]): string {
  const rank = (problem: Error) => RANKS.indexOf('code' in problem ? String(problem.code) : '');
  return [...problems].sort((a, b) => rank(b) - rank(a))[0]?.message ?? 'the pod failed';
}
