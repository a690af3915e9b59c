import type { Loop } from '../src/native/loop.ts';
import type { AppGroups } from './app-groups.ts';
import type { Channels } from './ground.ts';
import type { HostChannel } from './host-channel.ts';

/** What the pod needs of PID 1. */
export interface PodSurroundings {
  readonly loop: Loop;
  readonly host: Pick<HostChannel, 'send'>;
  readonly channels: Channels;
  readonly groups: AppGroups;
  /** Of the pod, in milliseconds. */
  age(): number;
  /** Ends PID 1, and so the pod, at once. */
  leave(): void;
}
