import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { VM_IDS } from '../../../src/abi/host-ids.ts';
import { allocateId, chooseId, chooseSpareId, parseIdRange } from '../../../stage1-kvm/ids.ts';
import { nativeScratch } from '../../support/native-scratch.ts';

const scratch = nativeScratch();

describe('parseIdRange', () => {
  it.each([
    [undefined, VM_IDS],
    ['', VM_IDS],
    ['5000:10', { first: 5000, count: 10 }],
  ])('%s', (text, range) => {
    expect(parseIdRange(text)).toEqual(range);
  });

  it.each(['0:10', '5000', '5000:0', '5000:-1', 'x:y', '5000:10:1', '4294967290:10', '1.5:2'])(
    'refuses %s',
    (text) => {
      expect(() => parseIdRange(text)).toThrow(/RKT_HYPERVISOR_IDS is FIRST:COUNT/);
    },
  );
});

describe('chooseId', () => {
  it('takes the lowest that is free', () => {
    expect(chooseId({ first: 10, count: 3 }, new Set([10, 12]))).toBe(11);
    expect(chooseId({ first: 10, count: 2 }, new Set([10, 11]))).toBeUndefined();
  });
});

const before = process.cwd();
afterEach(() => process.chdir(before));

describe('allocateId', () => {
  beforeEach(() => {
    for (const pod of ['run/one', 'run/two', 'garbage/old'])
      mkdirSync(join(scratch, 'pods', pod), { recursive: true });
    writeFileSync(join(scratch, 'pods/garbage/old/vm-id'), '2000\n');
  });

  it('records what a pod has taken, until the pod is gone', () => {
    const range = { first: 2000, count: 3 };
    process.chdir(join(scratch, 'pods/run/one'));
    expect(allocateId(range)).toBe(2001);
    process.chdir(join(scratch, 'pods/run/two'));
    expect(allocateId(range)).toBe(2002);
    expect(readFileSync('vm-id', 'utf8')).toBe('2002\n');
    expect(() => allocateId({ first: 2000, count: 3 })).toThrow(/all 3 ids from 2000 on are taken/);
  });
});

describe('chooseSpareId', () => {
  const data = join(scratch, 'of-spares');
  const record = (path: string, id: number) => {
    mkdirSync(join(data, path, '..'), { recursive: true });
    writeFileSync(join(data, path), `${id}\n`);
  };
  const range = { first: 3000, count: 5 };

  it('takes the highest but one that neither a pod has nor another spare, until all are taken', () => {
    // The highest is that of machines that are being saved.
    expect(chooseSpareId(range, data)).toBe(3003);
    record('templates/tenant/.spares/key/0/id', 3003);
    expect(chooseSpareId(range, data)).toBe(3002);
    record('pods/run/one/vm-id', 3002);
    record('pods/garbage/old/vm-id', 3000);
    expect(chooseSpareId(range, data)).toBe(3001);
    record('templates/other/.spares/key/3/id', 3001);
    expect(() => chooseSpareId(range, data)).toThrow('all 5 ids from 3000 on are taken');
  });

  it('leaves ids of spares to no pod', () => {
    process.chdir(mkdtempSync(join(data, 'pods/run/')));
    expect(allocateId({ first: 3000, count: 6 })).toBe(3004);
  });
});
