import { describe, expect, it } from 'vitest';
import { chooseProject, PROJECTS } from '../../../../src/supervisor/volumes/bounded-directory.ts';

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
