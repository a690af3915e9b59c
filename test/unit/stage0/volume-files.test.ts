import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { NO_VOLUMES, type PodVolume, VOLUMES_ANNOTATION } from '../../../src/abi/volume-plan.ts';
import { blankImageManifest, parseACIdentifier, parseAnnotations } from '../../../src/appc/index.ts';
import { checkSources, keptSources, makeVolumes, readVolumes } from '../../../src/stage0/volume-files.ts';
import { parseVolumeRequest } from '../../../src/stage0/volume-request.ts';

const directory = mkdtempSync(join(tmpdir(), 'volume-files-'));
afterAll(() => rmSync(directory, { recursive: true }));

const stage1 = blankImageManifest(parseACIdentifier('example.com/stage1'));
const host = (source: string): PodVolume => ({
  ...{ kind: 'host', key: 'v', readOnly: false, source, recursive: null, idMap: 'auto' },
});

describe('volumes of a pod’s directory', () => {
  it('are empty directories of their mode, behind one that only root may pass, and a record', () => {
    const pod = join(directory, 'pod');
    mkdirSync(pod);
    const empty: PodVolume = {
      kind: 'empty',
      key: 'e',
      readOnly: false,
      mode: 0o3777,
      uid: process.getuid?.() ?? 0,
      gid: 0,
      mountPoint: null,
    };
    const plan = { ...NO_VOLUMES, volumes: [empty, host('/nowhere')] };
    expect(readVolumes(pod)).toEqual(NO_VOLUMES);
    makeVolumes(pod, plan);
    expect(readVolumes(pod)).toEqual(plan);
    expect(statSync(join(pod, 'sharedVolumes/e')).mode & 0o7777).toBe(0o3777);
    expect(statSync(join(pod, 'sharedVolumes')).mode & 0o7777).toBe(0o700);
  });
});

describe('sources', () => {
  it('have to be there', () => {
    const request = (source: string) => parseVolumeRequest(`v,kind=host,source=${source}`);
    expect(() => checkSources([request(directory)])).not.toThrow();
    expect(() => checkSources([request(join(directory, 'absent'))])).toThrow(`volume "v": ENOENT`);
  });

  it('stay within reach of a stage1 that mounts them itself, by their own paths', () => {
    mkdirSync(join(directory, 'real'));
    symlinkSync('real', join(directory, 'link'));
    const plan = { ...NO_VOLUMES, volumes: [host(join(directory, 'link'))] };
    expect(keptSources(stage1, plan)).toEqual([join(directory, 'real')]);
    const annotations = parseAnnotations([{ name: VOLUMES_ANNOTATION, value: 'true' }]);
    expect(keptSources({ ...stage1, annotations }, plan)).toEqual([]);
  });
});
