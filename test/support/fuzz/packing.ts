import { execFileSync } from 'node:child_process';
import { gzipSync } from 'node:zlib';
import type { Dice } from './dice.ts';
import { flipBits } from './header-mutation.ts';

/** A tar as it comes, and what OCI calls that. */
export interface Packed {
  readonly bytes: Buffer;
  /** Behind `application/vnd.oci.image.layer.v1.tar`. */
  readonly suffix: '' | '+gzip' | '+zstd';
}

/** Compressed in one of the ways that are read; `oci`: one that its media types have a name for. Now and then damaged after that. */
export function pack(tar: Buffer, dice: Dice, form: 'oci' | 'aci'): Packed {
  const packed = compress(tar, dice, form);
  return dice.chance(0.06) ? { ...packed, bytes: damaged(packed.bytes, dice) } : packed;
}

function compress(tar: Buffer, dice: Dice, form: 'oci' | 'aci'): Packed {
  const draw = dice.below(100);
  if (draw < 45) return { bytes: tar, suffix: '' };
  if (draw < 97) return { bytes: gzipSync(tar, { level: 1 }), suffix: '+gzip' };
  // A program each, which costs as much as ten other cases.
  if (dice.chance(0.5) || form === 'oci') return { bytes: filtered('zstd', ['-qc1'], tar), suffix: '+zstd' };
  return { bytes: filtered(dice.pick(['xz', 'bzip2']), ['-c1'], tar), suffix: '' };
}

function filtered(program: string, args: readonly string[], input: Buffer): Buffer {
  return execFileSync(program, args, { input, maxBuffer: 2 ** 28 });
}

function damaged(bytes: Buffer, dice: Dice): Buffer {
  const copy = Buffer.from(bytes);
  return dice.pick([
    () => bytes.subarray(0, dice.below(bytes.length)),
    () => bytes.subarray(0, -8),
    () => Buffer.concat([bytes, bytes]),
    () => Buffer.concat([bytes, dice.bytes(20)]),
    () => {
      flipBits(copy, dice);
      return copy;
    },
    // Checksum and length of gzip.
    () => copy.fill(0xff, Math.max(copy.length - 8, 0), Math.max(copy.length - 4, 0)),
    () => copy.fill(0, 0, Math.min(copy.length, 2)),
  ])();
}
