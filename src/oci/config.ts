import type { HealthPlan } from '../abi/health.ts';
import { arrayOf, type Cursor, fields, kernelString, oneOf, type StringMap, string } from '../appc/json.ts';
import { documentCursor, parseJsonText } from '../appc/json-document.ts';
import { withoutUndefined } from '../appc/json-value.ts';
import { type Digest, readDigest } from './digest.ts';
import type { Layer, Manifest } from './document.ts';
import { refuse } from './errors.ts';
import { readHealthCheck } from './health-check.ts';
import { configLimits } from './limits.ts';
import { type Platform, readPlatform } from './platform.ts';

/** How an image is run and what its layers unpack to (image-spec 1.1, config.md). */
export interface ImageConfig {
  readonly platform: Platform;
  readonly created?: string;
  readonly author?: string;
  readonly comment?: string;
  readonly execution: Execution;
  /** Of the uncompressed layers, from the lowest to the topmost. */
  readonly diffIDs: readonly Digest[];
}

/** What a configuration may leave out is empty here. Sets are sorted. */
export interface Execution {
  readonly user: string;
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  /** As `NAME=value`. */
  readonly env: readonly string[];
  readonly workingDir: string;
  /** As `80/tcp`. */
  readonly exposedPorts: readonly string[];
  readonly volumes: readonly string[];
  readonly labels: StringMap;
  readonly stopSignal: string;
  readonly healthCheck?: HealthPlan;
}

export interface UnpackedLayer extends Layer {
  readonly diffID: Digest;
}

/** Takes the configuration's text. Throws OciError. */
export function readImageConfig(text: string): ImageConfig {
  return parseImageConfig(parseJsonText(text, refuse, configLimits));
}

export function parseImageConfig(json: unknown): ImageConfig {
  const at = documentCursor(json, refuse, configLimits);
  const config = fields(at);
  return withoutUndefined({
    platform: readPlatform(at),
    created: config.optional('created', string),
    author: config.optional('author', string),
    comment: config.optional('comment', string),
    execution:
      config.optional('config', readExecution) ?? readExecution({ ...at, path: 'config', value: {} }),
    diffIDs: config.required('rootfs', readDiffIDs),
  });
}

/** Brings each layer together with what it unpacks to. Throws OciError `layer-mismatch` on unequal numbers. */
export function pairLayers(manifest: Manifest, config: ImageConfig): readonly UnpackedLayer[] {
  const { layers } = manifest;
  const { diffIDs } = config;
  return Array.from({ length: Math.max(layers.length, diffIDs.length) }, (_, index) => {
    const layer = layers[index];
    const diffID = diffIDs[index];
    if (layer && diffID) return { ...layer, diffID };
    const problem = `the manifest has ${layers.length} layers, the configuration ${diffIDs.length}`;
    throw refuse('layer-mismatch', '', problem);
  });
}

function readExecution(at: Cursor): Execution {
  const execution = fields(at);
  return withoutUndefined({
    user: execution.optional('User', kernelString) ?? '',
    entrypoint: execution.optional('Entrypoint', readArguments) ?? [],
    cmd: execution.optional('Cmd', readArguments) ?? [],
    env: execution.list('Env', kernelString),
    workingDir: execution.optional('WorkingDir', kernelString) ?? '',
    exposedPorts: execution.optional('ExposedPorts', readSet) ?? [],
    volumes: execution.optional('Volumes', readSet) ?? [],
    labels: execution.map('Labels'),
    stopSignal: execution.optional('StopSignal', string) ?? '',
    healthCheck: execution.optional('Healthcheck', readHealthCheck),
  });
}

// Docker once wrote a single argument as a string.
function readArguments(at: Cursor): readonly string[] {
  return typeof at.value === 'string' ? [kernelString(at)] : arrayOf(kernelString)(at);
}

// A Go set: an object whose values mean nothing.
function readSet(at: Cursor): readonly string[] {
  fields(at);
  const keys = Object.keys(Object(at.value)).sort();
  return keys.map((key) => kernelString({ ...at, value: key }));
}

function readDiffIDs(at: Cursor): readonly Digest[] {
  const rootfs = fields(at);
  rootfs.required('type', oneOf('layers'));
  return rootfs.list('diff_ids', readDigest);
}
