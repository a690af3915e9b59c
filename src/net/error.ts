/** What is wrong with what somebody asked of a pod's networks. */
export class NetError extends Error {
  override readonly name = 'NetError';

  constructor(
    /** `bad-request`: of the command line; `bad-network`: of a file that describes one. */
    readonly code: 'bad-request' | 'bad-network' | 'not-found',
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
