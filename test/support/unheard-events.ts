import type { SessionEvents } from '../../src/supervisor/session-events.ts';

/** What a test of something else does not want to hear of a session. */
export const unheardEvents: Omit<SessionEvents, 'hello' | 'app'> = {
  ready: () => {},
  notified: () => {},
  warning: () => {},
  ended: () => {},
  settled: () => {},
  failed: () => {},
};
