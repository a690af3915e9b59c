import {
  arrayOf,
  type Cursor,
  fields,
  integer,
  nonEmptyString,
  type StringMap,
  string,
} from '../appc/json.ts';
import { withoutUndefined } from '../appc/json-value.ts';
import { type Digest, readDigest } from './digest.ts';
import { type Platform, readPlatformIfSaid } from './platform.ts';

/** Points at content: its kind, its digest and its size in bytes (image-spec 1.1, descriptor.md). */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly urls: readonly string[];
  readonly annotations: StringMap;
  readonly platform?: Platform;
  readonly artifactType?: string;
}

export function readDescriptor(at: Cursor): Descriptor {
  const descriptor = fields(at);
  return withoutUndefined({
    mediaType: descriptor.required('mediaType', nonEmptyString),
    digest: descriptor.required('digest', readDigest),
    size: descriptor.required('size', integer(0, Number.MAX_SAFE_INTEGER)),
    urls: descriptor.optional('urls', arrayOf(string)) ?? [],
    annotations: descriptor.map('annotations'),
    platform: descriptor.optional('platform', readPlatformIfSaid),
    artifactType: descriptor.optional('artifactType', string),
  });
}
