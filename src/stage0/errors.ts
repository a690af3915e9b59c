export type Stage0ErrorCode =
  | 'bad-request'
  | 'bad-image'
  | 'bad-stage1'
  | 'unsupported'
  | 'no-pod'
  | 'not-prepared'
  | 'name-taken'
  | 'busy'
  | 'not-running'
  /** The pod's supervisor says no. */
  | 'refused'
  | 'timed-out'
  | 'not-installed';

export class Stage0Error extends Error {
  override readonly name = 'Stage0Error';

  constructor(
    readonly code: Stage0ErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
