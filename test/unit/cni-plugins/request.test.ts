import { describe, expect, it } from 'vitest';
import { PLUGIN_NAMES } from '../../../cni-plugins/names.ts';
import { plugins } from '../../../cni-plugins/plugins.ts';
import { checkInterfaceName, parseRequest } from '../../../cni-plugins/request.ts';

const variables: Readonly<Record<string, string>> = {
  CNI_CONTAINERID: 'container',
  CNI_NETNS: '/proc/1/ns/net',
  CNI_IFNAME: 'eth0',
  CNI_PATH: '/a::/b',
  CNI_ARGS: 'IP=10.0.0.1;A=B=C;;EMPTY=',
};
const without =
  (...names: string[]) =>
  (name: string) =>
    names.includes(name) ? undefined : variables[name];
const config = { cniVersion: '1.1.0', name: 'n', type: 't' };

describe('a request', () => {
  it('is what environment and input say', () => {
    const request = parseRequest('ADD', without(), config);
    expect(request).toMatchObject({
      containerId: 'container',
      netns: '/proc/1/ns/net',
      ifName: 'eth0',
      path: ['/a', '/b'],
    });
    expect([...request.args]).toEqual([
      ['IP', '10.0.0.1'],
      ['A', 'B=C'],
      ['EMPTY', ''],
    ]);
  });

  it('of DEL may come without a namespace, of STATUS and GC without a container', () => {
    expect(parseRequest('DEL', without('CNI_NETNS', 'CNI_ARGS'), config).netns).toBeUndefined();
    for (const command of ['STATUS', 'GC'] as const)
      expect(
        parseRequest(command, without('CNI_NETNS', 'CNI_CONTAINERID', 'CNI_IFNAME'), config).path,
      ).toEqual(['/a', '/b']);
  });

  it('names all that is missing', () => {
    expect(() => parseRequest('ADD', without('CNI_NETNS', 'CNI_PATH'), config)).toThrow(
      'ADD needs CNI_NETNS, CNI_PATH',
    );
  });

  it.each([
    ['CHECK', config, 'CHECK needs a prevResult'],
    ['CHECK', { ...config, cniVersion: '0.3.1' }, "'0.3.1' does not allow CHECK"],
    ['GC', { ...config, cniVersion: '1.0.0' }, "'1.0.0' does not allow GC"],
    ['STATUS', { ...config, cniVersion: '0.4.0' }, "'0.4.0' does not allow STATUS"],
  ] as const)('%s of %j is refused', (command, input, message) => {
    expect(() => parseRequest(command, without(), input)).toThrow(message);
  });
});

it("interfaces' names are the kernel's", () => {
  for (const name of ['eth0', 'a', 'br-1.5', 'fifteen-letters', 'ETH_@!'])
    expect(() => checkInterfaceName(name)).not.toThrow();
  for (const name of ['', '.', '..', 'a/b', 'a:b', 'a b', 'a\n', 'sixteen-letters-', 'ä'])
    expect(() => checkInterfaceName(name), name).toThrow();
});

it('every name has its plugin, and every plugin says what it is', () => {
  expect(Object.keys(plugins).sort()).toEqual([...PLUGIN_NAMES].sort());
  for (const name of PLUGIN_NAMES) expect(plugins[name].about).toMatch(new RegExp(`^CNI ${name} plugin: `));
});
