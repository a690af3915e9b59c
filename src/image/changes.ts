import { ImageError } from './error.ts';
import { unpack } from './layer.ts';
import { OCI_RULES } from './layers.ts';
import type { Bytes } from './stream.ts';

/** Where an archive of changes goes. */
export interface ChangesPlan {
  /** An empty directory. */
  readonly target: string;
  /** Roots of the layers below, the uppermost first. */
  readonly lower: readonly string[];
  /** The archive is no longer than that. */
  readonly mostBytes: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * Makes an overlay's upper directory of a layer of OCI that a guest has written: as hostile as any image's. @throws ImageError, TarError
 */
export async function unpackChanges(archive: Bytes, plan: ChangesPlan): Promise<void> {
  const { target, lower, signal } = plan;
  const stream = bounded(archive, plan.mostBytes);
  const limits = { expansion: { ratio: 1, floor: plan.mostBytes } };
  await unpack({
    ...{ stream, algorithm: 'sha256', rootfs: target, rules: OCI_RULES, lower, signal, limits },
    endMarker: 'required',
  });
}

async function* bounded(archive: Bytes, most: number): AsyncGenerator<Uint8Array> {
  let count = 0;
  for await (const chunk of archive) {
    count += chunk.length;
    if (count > most)
      throw new ImageError('too-large', `more than ${most} bytes of changes come from the machine`);
    yield chunk;
  }
}
