export type SupervisorErrorCode =
  /** The guest broke the protocol. */
  | 'guest-broken'
  /** A channel to the guest is closed, or fails: mostly because something else has. */
  | 'channel-lost'
  /** The guest gave up, or never came up. */
  | 'guest-failed'
  /** The pod's directory is not as stage0 must leave it. */
  | 'bad-pod'
  /** The pod asks for what this stage1 cannot do. */
  | 'unsupported'
  /** A network that there is not, or whose configuration is wrong. */
  | 'bad-network'
  /** A file or device that cannot be a disk of the pod. */
  | 'bad-disk'
  /** A volume whose source is not there, or cannot be one. */
  | 'bad-volume'
  /** A user or group that the image does not have. */
  | 'unknown-user'
  /** There is no such program, or the kernel does not take it. */
  | 'not-started'
  /** What PID 1 lives in has ended, or failed. */
  | 'vessel-failed'
  /** There is no supervisor to talk to, or it answers rubbish. */
  | 'no-supervisor'
  /** The supervisor says no. */
  | 'refused'
  /** A network, or one of its plugins, is not as it should be. */
  | 'network-failed'
  /** A pod of `--rm` stays behind. */
  | 'not-removed';

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

/** What became of a channel to the guest: its peer broke the rules, or it is gone. */
export function channelError(channel: 'control' | 'data', cause: Error): SupervisorError {
  const broken = 'code' in cause && (cause.code === 'bad-packet' || cause.code === 'bad-frame');
  return new SupervisorError(
    broken ? 'guest-broken' : 'channel-lost',
    `${channel} channel: ${cause.message}`,
    { cause },
  );
}
