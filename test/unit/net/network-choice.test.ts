import { describe, expect, it } from 'vitest';
import { parseNetRequest } from '../../../src/net/net-request.ts';
import { chooseNetworks } from '../../../src/net/network-choice.ts';
import { parseNetworkFile } from '../../../src/net/network-list.ts';

const network = (name: string, file: string) =>
  parseNetworkFile(`/n/${file}`, JSON.stringify({ name, type: 'bridge' }));

const LOCAL = [network('b', '10-b.conf'), network('a', '20-a.conf'), network('b', '30-b.conf')];

const choose = (text: string, local = LOCAL) => {
  const { chosen, remarks } = chooseNetworks(parseNetRequest(text), local);
  return { chosen: chosen.map(({ list, args, ifName }) => [ifName, list.name, list.source, args]), remarks };
};

describe('the networks of a pod', () => {
  it.each(['none', 'host'])('are none for %s', (text) => {
    expect(choose(text)).toEqual({ chosen: [], remarks: [] });
  });

  it('come in the order in which they are asked for', () => {
    expect(choose('a:IP=10.0.0.1,default')).toEqual({
      chosen: [
        ['eth0', 'a', '/n/20-a.conf', 'IP=10.0.0.1'],
        ['eth1', 'default', 'built-in', ''],
      ],
      remarks: [],
    });
  });

  it('are those of the first file of a name', () => {
    expect(choose('b')).toEqual({
      chosen: [['eth0', 'b', '/n/10-b.conf', '']],
      remarks: ['"b" network already defined, ignoring /n/30-b.conf'],
    });
  });

  it('may take the place of a built-in one', () => {
    const local = [network('default', '1.conf'), network('default', '2.conf')];
    expect(choose('', local)).toEqual({
      chosen: [['eth0', 'default', '/n/1.conf', '']],
      remarks: [
        'overriding "default" network with /n/1.conf',
        '"default" network already defined, ignoring /n/2.conf',
      ],
    });
    expect(choose('default-restricted', local).remarks).toEqual([]);
  });

  it('are all that there are, the built-in ones last', () => {
    expect(choose('all').chosen.map(([ifName, name]) => [ifName, name])).toEqual([
      ['eth0', 'b'],
      ['eth1', 'a'],
      ['eth2', 'default'],
      ['eth3', 'default-restricted'],
    ]);
    const own = [network('default', '1.conf'), network('z', '2.conf')];
    expect(choose('all', own).chosen.map(([, name]) => name)).toEqual(['default', 'z', 'default-restricted']);
  });

  it('have to be there', () => {
    expect(() => choose('x,a,y')).toThrow(
      expect.objectContaining({ code: 'not-found', message: 'networks not found: x, y' }),
    );
    // Names that every object has are no networks.
    expect(() => choose('constructor', [])).toThrow('networks not found: constructor');
  });
});
