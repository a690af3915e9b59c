import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useEngine } from '../../../../src/native/engine.ts';
import {
  chooseProject,
  discard,
  liftBounds,
  PROJECTS,
} from '../../../../src/supervisor/volumes/bounded-directory.ts';
import { koffiEngine } from '../../../support/koffi-syscall.ts';

const { first, count } = PROJECTS;

describe('the project of a volume', () => {
  it('is the first that is free from somewhere on, and never one beyond the last', () => {
    expect(chooseProject(5, () => true)).toBe(first + 5);
    const taken = [first + count - 1, first, first + 1];
    expect(chooseProject(count - 1, (project) => !taken.includes(project))).toBe(first + 2);
  });

  it('is none where many in a row are taken', () => {
    const asked: number[] = [];
    expect(
      chooseProject(0, (project) => {
        asked.push(project);
        return false;
      }),
    ).toBeUndefined();
    expect(new Set(asked).size).toBe(64);
  });
});

describe('in a pod’s directory', () => {
  const before = process.cwd();
  const pod = mkdtempSync(join(tmpdir(), 'bounded-'));
  const path = 'limitedVolumes/app.v';
  beforeAll(() => {
    useEngine(koffiEngine);
    process.chdir(pod);
  });
  afterAll(() => {
    process.chdir(before);
    rmSync(pod, { recursive: true });
  });

  it('bounds are lifted where there are volumes, or disks of volumes, or neither', () => {
    expect(() => liftBounds()).not.toThrow();
    mkdirSync('limitedVolumes/app.directory', { recursive: true });
    writeFileSync('limitedVolumes/app.disk', '');
    expect(() => liftBounds()).not.toThrow();
    rmSync('limitedVolumes', { recursive: true });
  });

  it('there is room for a volume, whatever an earlier attempt has left', () => {
    mkdirSync(path, { recursive: true });
    discard(path);
    expect(existsSync(path)).toBe(false);
    writeFileSync(path, 'disk');
    discard(path);
    expect(existsSync(path)).toBe(false);
    mkdirSync(path);
    writeFileSync(`${path}/file`, 'kept');
    discard(path);
    const [aside = ''] = readdirSync('limitedVolumes');
    expect([existsSync(path), readdirSync(`limitedVolumes/${aside}`)]).toEqual([false, ['file']]);
    discard(path);
  });
});
