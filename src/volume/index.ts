export { VolumeError } from './error.ts';
export { parseVolumeName, type VolumeName, type VolumeRecord } from './record.ts';
export { DEFAULT_ROOT, noVolume, type VolumeRoot, Volumes } from './volumes.ts';
