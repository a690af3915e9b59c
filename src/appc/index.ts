export * from './annotations.ts';
export * from './app.ts';
export * from './effective-app.ts';
export { type EnvironmentVariable, isEnvironmentName, mergeEnvironments } from './environment.ts';
export { AppcError, type AppcErrorCode } from './errors.ts';
export * from './image-id.ts';
export * from './image-manifest.ts';
export * from './image-name.ts';
export * from './isolator.ts';
export { parseIsolator } from './isolator-reader.ts';
export type { Json, StringMap } from './json.ts';
export * from './labels.ts';
export * from './names.ts';
export * from './pod-manifest.ts';
export type { ExposedPort, Port } from './port.ts';
export { milliUnits, parseQuantity, type Quantity, wholeUnits } from './quantity.ts';
export type * from './seccomp-profile.ts';
export * from './uuid.ts';
export { acVersion, type SemVer } from './version.ts';
export {
  absolutePath,
  type EmptyVolume,
  type HostVolume,
  type Mount,
  type MountPoint,
  type Volume,
} from './volume.ts';
