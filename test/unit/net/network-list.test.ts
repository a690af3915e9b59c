import { describe, expect, it } from 'vitest';
import { BUILT_IN_NETWORKS, isNetworkFile, parseNetworkFile } from '../../../src/net/network-list.ts';

const parse = (value: unknown, path = '/etc/rkt/net.d/10-x.conflist') =>
  parseNetworkFile(path, JSON.stringify(value));

describe('a file of a network', () => {
  it('is one plugin', () => {
    expect(
      parse({ cniVersion: '0.3.1', name: 'x', type: 'bridge', ipam: { type: 'static' } }, '/n/10-x.conf'),
    ).toEqual({
      name: 'x',
      cniVersion: '0.3.1',
      disableCheck: false,
      disableGc: false,
      plugins: [{ type: 'bridge', ipam: { type: 'static' } }],
      source: '/n/10-x.conf',
    });
  });

  it('is a list of them', () => {
    const plugins = [{ type: 'ptp' }, { type: 'portmap', capabilities: { portMappings: true } }];
    expect(parse({ cniVersion: '1.1.0', name: 'x', disableCheck: true, disableGC: 'true', plugins })).toEqual(
      {
        name: 'x',
        cniVersion: '1.1.0',
        disableCheck: true,
        disableGc: true,
        plugins,
        source: '/etc/rkt/net.d/10-x.conflist',
      },
    );
  });

  it.each([
    [{}, '0.1.0'],
    [{ cniVersion: '' }, '0.1.0'],
    [{ cniVersion: '0.4.0' }, '0.4.0'],
    [{ cniVersion: '0.4.0', cniVersions: ['0.3.1', '1.0.0'] }, '1.0.0'],
    [{ cniVersions: ['1.1.0', '9.0.0'] }, '1.1.0'],
    [{ cniVersion: '9.0.0', cniVersions: ['0.3.1'] }, '0.3.1'],
  ])('of the versions in %j the newest known one counts', (versions, expected) => {
    const { cniVersion, plugins } = parse({
      name: 'x',
      ...versions,
      plugins: [{ type: 'ptp', cniVersion: '0.2.0' }],
    });
    expect([cniVersion, plugins]).toEqual([expected, [{ type: 'ptp' }]]);
  });

  it('has more plugins in the directory beside it', () => {
    const asked: string[] = [];
    const filesOf = (directory: string) => {
      asked.push(directory);
      return [{ path: `${directory}/20-t.conf`, text: '{"type":"tuning","name":"ignored"}' }];
    };
    const load = (value: object) =>
      parseNetworkFile('/n/10.conflist', JSON.stringify(value), filesOf).plugins;
    expect(load({ name: 'x', plugins: [{ type: 'ptp' }] })).toEqual([{ type: 'ptp' }, { type: 'tuning' }]);
    expect(load({ name: 'x' })).toEqual([{ type: 'tuning' }]);
    expect(asked).toEqual(['/n/x', '/n/x']);
    expect(load({ name: 'x', plugins: [{ type: 'ptp' }], loadOnlyInlinedPlugins: true })).toEqual([
      { type: 'ptp' },
    ]);
    expect(asked.length).toBe(2);
    expect(() => load({ name: 'x', loadOnlyInlinedPlugins: true })).toThrow('the network has no plugins');
  });

  it('tells which of its files is wrong', () => {
    const wrong = () => [{ path: '/n/x/1.conf', text: '{"type":"../sh"}' }];
    expect(() => parseNetworkFile('/n/1.conflist', '{"name":"x"}', wrong)).toThrow(
      '/n/x/1.conf: network.type: "../sh" is no name of a plugin',
    );
  });

  it.each([
    ['{', '/n/a.conf: not JSON: '],
    ['[]', '/n/a.conf: network: expected an object, got []'],
    ['{}', '/n/a.conf: the network has no name'],
    ['{"name":"../x","type":"ptp"}', '"../x" is no name of a network'],
    ['{"name":"x"}', '/n/a.conf: the network has no plugins'],
    ['{"name":"x","plugins":[]}', '/n/a.conf: the network has no plugins'],
    ['{"name":"x","plugins":[{}]}', 'network.plugins[0].type: expected a string'],
    ['{"name":"x","plugins":[{"type":"a/b"}]}', 'network.plugins[0].type: "a/b" is no name of a plugin'],
    ['{"name":"x","type":".."}', 'network.type: ".." is no name of a plugin'],
    ['{"name":"x","type":""}', 'network.type: "" is no name of a plugin'],
    ['{"name":"x","type":"ptp","cniVersion":"2.0.0"}', 'CNI version "2.0.0" is not supported: 0.1.0'],
    ['{"name":"x","plugins":[{"type":"a"}],"disableGC":5}', 'network.disableGC: expected true or false'],
    [
      '{"name":"x","plugins":[{"type":"a"}],"disableGC":"yes"}',
      'network.disableGC: expected one of true, false',
    ],
  ])('%s is refused', (text, message) => {
    expect(() => parseNetworkFile('/n/a.conf', text)).toThrow(
      expect.objectContaining({ code: 'bad-network', message: expect.stringContaining(message) }),
    );
  });

  it('has one of two endings', () => {
    const names = ['a.conf', 'a.conflist', 'a.conf~', 'a.json', 'conf', '.conf.swp'];
    expect(names.filter(isNetworkFile)).toEqual(['a.conf', 'a.conflist']);
  });
});

it("has rkt's networks built in", () => {
  expect(BUILT_IN_NETWORKS.map(({ name, plugins }) => [name, plugins])).toEqual([
    [
      'default',
      [
        {
          type: 'ptp',
          ipMasq: true,
          ipam: { type: 'host-local', subnet: '172.16.28.0/24', routes: [{ dst: '0.0.0.0/0' }] },
        },
      ],
    ],
    [
      'default-restricted',
      [{ type: 'ptp', ipMasq: false, ipam: { type: 'host-local', subnet: '172.31.0.0/16' } }],
    ],
  ]);
});
