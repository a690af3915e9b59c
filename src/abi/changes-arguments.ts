import { Arguments } from './stage1-flags.ts';

export interface ChangesArguments {
  readonly uuid: string;
  readonly app: string;
}

/**
 * Of the entrypoint `changes`, run by rkt-mount in the directory of a pod that has ended, whose roots were disks: writes what an app has changed
 * of its root to standard output, as a layer of OCI. What is not in there is told on standard error.
 */
export function formatChangesArguments({ uuid, app }: ChangesArguments): string[] {
  return [`--uuid=${uuid}`, app];
}

/** @throws AbiError `bad-arguments` */
export function parseChangesArguments(args: readonly string[]): ChangesArguments {
  const parsed = new Arguments(args, { uuid: 'value' });
  return { uuid: parsed.value('uuid') ?? '', app: parsed.only('APP') };
}
