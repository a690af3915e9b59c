import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeOutputFile } from '../../../src/image/output.ts';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'rkt-output-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const place = () => join(directory, 'image.aci');
const write = (text: string) => async (temporary: string) => writeFileSync(temporary, text);

describe('a file that is made', () => {
  it('takes the place of another, and is the only one there', async () => {
    writeFileSync(place(), 'old');
    await makeOutputFile(place(), true, write('new'));
    expect(readFileSync(place(), 'utf8')).toBe('new');
    expect(readdirSync(directory)).toEqual(['image.aci']);
  });

  it('leaves the other where it is until it is whole', async () => {
    writeFileSync(place(), 'old');
    const cut = async (temporary: string) => {
      writeFileSync(temporary, 'ne');
      expect(readFileSync(place(), 'utf8')).toBe('old');
      throw new Error('cut off');
    };
    await expect(makeOutputFile(place(), true, cut)).rejects.toThrow('cut off');
    expect(readFileSync(place(), 'utf8')).toBe('old');
    expect(readdirSync(directory)).toEqual(['image.aci']);
  });

  it('takes nothing away that has come meanwhile', async () => {
    const overtaken = async (temporary: string) => {
      writeFileSync(temporary, 'new');
      mkdirSync(place());
      writeFileSync(join(place(), 'kept'), '');
    };
    await expect(makeOutputFile(place(), true, overtaken)).rejects.toThrow('is no file');
    expect(readdirSync(place())).toEqual(['kept']);
    rmSync(place(), { recursive: true });
    const second = async (temporary: string) => {
      writeFileSync(temporary, 'new');
      writeFileSync(place(), 'other');
    };
    await expect(makeOutputFile(place(), false, second)).rejects.toThrow('is there already');
    expect(readFileSync(place(), 'utf8')).toBe('other');
    expect(readdirSync(directory)).toEqual(['image.aci']);
  });
});
