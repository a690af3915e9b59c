export type Stage0ErrorCode =
  | 'bad-request'
  | 'bad-image'
  | 'bad-stage1'
  | 'unsupported'
  | 'no-pod'
  | 'not-prepared'
  | 'name-taken'
  | 'port-taken'
  | 'busy'
  | 'not-running'
  | 'not-exited'
  /** A network's plugin is not there, or has failed. */
  | 'bad-network'
  /** The metadata service is not there, or refuses. */
  | 'no-metadata-service'
  /** A tree of files that cannot be read as what it is read for. */
  | 'bad-tree'
  /** The pod's supervisor says no. */
  | 'refused'
  | 'timed-out'
  | 'no-timeline'
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
