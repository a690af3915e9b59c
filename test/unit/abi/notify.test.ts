import { describe, expect, it } from 'vitest';
import { parseNotice, supportsNotify } from '../../../src/abi/notify.ts';
import { parseACIdentifier } from '../../../src/appc/index.ts';

describe('parseNotice', () => {
  it.each([
    ['READY=1', { state: 'ready', status: null }],
    ['READY=1\nSTATUS=serving\nMAINPID=7', { state: 'ready', status: 'serving' }],
    ['STATUS=a=b\n', { state: null, status: 'a=b' }],
    ['READY=1\nSTOPPING=1', { state: 'stopping', status: null }],
    [`STATUS=${'x'.repeat(5000)}`, { state: null, status: 'x'.repeat(512) }],
    ['READY=0', undefined],
    ['WATCHDOG=1', undefined],
    ['BARRIER=1', undefined],
    ['', undefined],
  ])('reads %j', (text, notice) => {
    expect(parseNotice(text)).toEqual(notice);
  });
});

describe('supportsNotify', () => {
  const says = (value: string) => [
    { name: parseACIdentifier('appc.io/executor/supports-systemd-notify'), value },
  ];
  it.each([
    ['nobody', [[], []], false],
    ['the image', [[], says('true')], true],
    ['the image in other words', [[], says('yes')], false],
    ['the pod manifest against the image', [says('false'), says('true')], false],
    ['the pod manifest alone', [says('true'), []], true],
  ])('is said by %s', (_, lists, expected) => {
    expect(supportsNotify(...lists)).toBe(expected);
  });
});
