import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeOutput, makeOutputFile } from '../../../src/image/output.ts';

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

describe('a directory that is made', () => {
  const fill = async (temporary: string) => {
    mkdirSync(temporary);
    writeFileSync(join(temporary, 'new'), '');
  };

  it('takes the place of another, with all that is in it, or of a file', async () => {
    mkdirSync(place());
    writeFileSync(join(place(), 'old'), '');
    await makeOutput(place(), true, fill);
    expect(readdirSync(place())).toEqual(['new']);
    rmSync(place(), { recursive: true });
    writeFileSync(place(), 'old');
    await makeOutput(place(), true, fill);
    expect(readdirSync(place())).toEqual(['new']);
  });

  it('takes the place of no device, nor of a fifo', async () => {
    execFileSync('mkfifo', [place()]);
    await expect(makeOutput(place(), true, fill)).rejects.toThrow('is neither a file nor a directory');
    expect(readdirSync(directory)).toEqual(['image.aci']);
    expect(statSync(place()).isFIFO()).toBe(true);
  });
});
