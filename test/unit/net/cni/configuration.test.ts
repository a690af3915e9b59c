import { describe, expect, it } from 'vitest';
import { isCniName, parseConfiguration, versionOf, withDns } from '../../../../src/net/cni/configuration.ts';
import { CniError, formatError, parseError } from '../../../../src/net/cni/errors.ts';
import { EMPTY_RESULT } from '../../../../src/net/cni/result.ts';

describe('a configuration', () => {
  it('has its standard values', () => {
    expect(parseConfiguration({ name: 'n' })).toMatchObject({
      cniVersion: '0.1.0',
      name: 'n',
      type: '',
      ipam: undefined,
      dns: {},
      prevResult: undefined,
      validAttachments: undefined,
    });
    expect(parseConfiguration({ name: 'n', ipam: {} }).ipam).toBeUndefined();
    expect(parseConfiguration({ name: 'n', ipam: { type: '' } }).ipam).toBeUndefined();
  });

  it('says what a runtime knows of the container', () => {
    const config = parseConfiguration({
      cniVersion: '1.1.0',
      name: 'n',
      runtimeConfig: { mac: 'a' },
      args: { cni: { ips: ['b'] } },
      prevResult: { ips: [{ address: '10.0.0.1/8' }] },
    });
    expect([config.runtime.string('mac'), config.args.texts('ips', 1)]).toEqual(['a', ['b']]);
    expect(config.prevResult?.ips).toEqual([{ address: '10.0.0.1/8' }]);
  });

  it('names attachments in either way that runtimes have', () => {
    for (const key of ['cni.dev/valid-attachments', 'cni.dev/attachments'])
      expect(
        parseConfiguration({ name: 'n', [key]: [{ containerID: 'c', ifname: 'e' }] }).validAttachments,
      ).toEqual([{ containerId: 'c', ifName: 'e' }]);
    expect(parseConfiguration({ name: 'n', 'cni.dev/valid-attachments': [] }).validAttachments).toEqual([]);
  });

  it.each([
    [5, 'config: expected an object'],
    [{}, 'the network has no name'],
    [{ name: '../x' }, "'../x' is no name of a network"],
    [{ name: 'n', cniVersion: '7' }, "incompatible CNI version '7'"],
    [{ name: 'n', ipam: 'x' }, 'config.ipam: expected an object'],
    [{ name: 'n', args: [] }, 'config.args: expected an object'],
    [{ name: 'n', 'cni.dev/attachments': [{}] }, 'containerID'],
  ])('%j is refused', (value, message) => {
    expect(() => parseConfiguration(value)).toThrow(message);
  });

  it('tells its version even when it is wrong', () => {
    expect([
      versionOf({ cniVersion: '7', name: 5 }),
      versionOf({ cniVersion: '' }),
      versionOf(null),
      versionOf([]),
    ]).toEqual(['7', undefined, undefined, undefined]);
  });
});

it('names are those that are safe in a path', () => {
  expect(['a', 'A9_.-', '0'].filter(isCniName)).toHaveLength(3);
  expect(['', '.', '..', 'a/b', '-a', 'a b', 'ä'].filter(isCniName)).toEqual([]);
});

it("a network's own names of servers count before those of its addresses", () => {
  const result = { ...EMPTY_RESULT, dns: { nameservers: ['10.0.0.1'] } };
  expect(withDns(result, {}).dns).toEqual({ nameservers: ['10.0.0.1'] });
  expect(withDns(result, { domain: 'a' }).dns).toEqual({ domain: 'a' });
});

describe('an error', () => {
  it('is read back', () => {
    const text = formatError(new CniError(7, 'wrong', 'very'), '1.0.0');
    expect(JSON.parse(text)).toEqual({ cniVersion: '1.0.0', code: 7, msg: 'wrong', details: 'very' });
    expect(parseError(text)).toMatchObject({ code: 7, message: 'wrong', details: 'very' });
  });

  it('has no details when there are none, and the newest version when none is known', () => {
    expect(JSON.parse(formatError(new CniError(7, 'wrong')))).toEqual({
      cniVersion: '1.1.0',
      code: 7,
      msg: 'wrong',
    });
  });

  it.each(['', 'panic: x', '[]', '{"code":"a","msg":"b"}', '{"code":1}'])('%j is none', (text) => {
    expect(parseError(text)).toBeUndefined();
  });
});
