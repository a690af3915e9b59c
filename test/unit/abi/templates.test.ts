import { describe, expect, it } from 'vitest';
import {
  formatTemplateArguments,
  parseTemplateArguments,
  parseTemplateRecord,
  type TemplateRecord,
} from '../../../src/abi/templates.ts';

const devices = { interfaces: 2, disks: ['write', 'read', 'scratch'], scratchBytes: 65536 } as const;

const record: TemplateRecord = {
  facts: ['format 1', 'stage1 a'],
  accelerator: 'tcg',
  cpus: 1,
  memoryMiB: 384,
  devices,
  stage1: 'sha512-a',
  kernel: '6.12',
  memoryBytes: 4096,
  stateBytes: 10,
  regions: [0, 4096],
  created: 17,
};

describe('the record of a template', () => {
  it('is read as it was written', () => {
    expect(parseTemplateRecord(JSON.stringify(record))).toEqual(record);
  });

  it.each([
    ['', 'no JSON'],
    ['[]', 'an object'],
    [JSON.stringify({ ...record, regions: [-1, 2] }), 'regions[0]'],
    [JSON.stringify({ ...record, facts: 'all' }), 'facts'],
    [JSON.stringify({ ...record, memoryBytes: 0 }), 'memoryBytes'],
    [JSON.stringify({ ...record, devices: { interfaces: 0, disks: ['tape'] } }), 'tape'],
    [JSON.stringify({ ...record, devices: { interfaces: -1, disks: [] } }), 'interfaces'],
  ])('is refused where it is none: %s', (text, problem) => {
    expect(() => parseTemplateRecord(text)).toThrow(problem);
  });
});

describe('the arguments of the entrypoint', () => {
  const none = { interfaces: 0, disks: [], scratchBytes: null };
  const least = { devices: none, cpus: null, memoryMiB: null, appBytes: null, wait: false, debug: false };
  const places = { directory: '/data/templates/host', kernel: '/tree/vm', stage1: 'sha512-a' };

  it.each([
    { ...places, ...least },
    { ...places, devices, cpus: 2, memoryMiB: 384, appBytes: 5, wait: true, debug: true },
  ])('are read as they were written: %j', (order) => {
    expect(parseTemplateArguments(formatTemplateArguments(order))).toEqual(order);
  });

  it.each(['0', '-1', '1.5', 'many'])('are refused: %s processors', (count) => {
    expect(() => parseTemplateArguments([`--cpus=${count}`, '/data'])).toThrow('--cpus');
  });

  it.each(['--interfaces=some', '--disks=read,tape', '--scratch-bytes=0'])('are refused: %s', (argument) => {
    expect(() => parseTemplateArguments([argument, '/data'])).toThrow(argument.split('=')[0]);
  });
});
