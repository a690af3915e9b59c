import { type AppState, BLANK_APP_STATE } from '../abi/app-state.ts';
import { appState } from '../abi/pod-directory.ts';
import { recordIfPossible } from './record.ts';

/** The files that say how each app does. */
export class AppStates {
  readonly #states = new Map<string, AppState>();

  /** What is said of it next is said of another life. */
  forget(app: string): void {
    this.#states.delete(app);
  }

  update(app: string, change: Partial<AppState>): void {
    const state = { ...(this.#states.get(app) ?? BLANK_APP_STATE), ...change };
    this.#states.set(app, state);
    recordIfPossible(appState(app), `${JSON.stringify(state)}\n`, 0o640);
  }
}
