export type SupervisorErrorCode =
  /** The guest broke the protocol, or its channel. */
  | 'guest-broken'
  /** The guest gave up, or never came up. */
  | 'guest-failed'
  /** There is no supervisor to talk to, or it answers rubbish. */
  | 'no-supervisor'
  /** The supervisor says no. */
  | 'refused';

export class SupervisorError extends Error {
  override readonly name = 'SupervisorError';

  constructor(
    readonly code: SupervisorErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
