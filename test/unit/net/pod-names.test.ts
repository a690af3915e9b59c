import { describe, expect, it } from 'vitest';
import type { NetInfo } from '../../../src/abi/net-info.ts';
import { type NamedPod, namesOfOthers } from '../../../src/net/pod-names.ts';

function on(netName: string, ...addresses: string[]): NetInfo {
  const ip = addresses[0]?.split('/')[0] ?? '';
  return { netName, netConf: '', pluginPath: '', ifName: 'eth0', ip, args: '', mask: '', addresses };
}

function pod(uuid: string, change: Partial<NamedPod> = {}): NamedPod {
  return {
    uuid,
    name: undefined,
    hostname: `host-${uuid}`,
    networks: [on('blue', '10.0.0.9/24')],
    ...change,
  };
}

const own = pod('0', { name: 'self' });

describe('the names of others', () => {
  it('are one line for each address on a shared network', () => {
    const web = pod('1', {
      name: 'web',
      networks: [on('blue', '10.0.0.2/24', '2001:DB8:0::2/64'), on('red', '10.1.0.2/24')],
    });
    expect(namesOfOthers(own, [web])).toBe('10.0.0.2\tweb host-1\n2001:db8::2\tweb host-1\n');
  });

  it('are none of who shares nothing, or has no address there', () => {
    expect(namesOfOthers(own, [pod('1', { networks: [on('red', '10.1.0.2/24')] })])).toBe('');
    expect(namesOfOthers(own, [pod('1', { networks: [on('blue')] })])).toBe('');
    expect(namesOfOthers(own, [pod('1', { networks: [on('blue', 'rubbish\n10.0.0.1 bank/24')] })])).toBe('');
  });

  it('take the address of networks whose record has no others: rkt wrote such', () => {
    const old = { ...on('blue'), ip: '10.0.0.7' };
    expect(namesOfOthers(own, [pod('1', { networks: [old] })])).toBe('10.0.0.7\thost-1\n');
  });

  it.each(['localhost', 'LocalHost', 'bank.example', 'self', 'host-0', '127', 'a b', 'a\nb', '-a', ''])(
    'are never %j',
    (hostname) => {
      expect(namesOfOthers(own, [pod('1', { hostname })])).toBe('');
    },
  );

  it('are lower case, and each once', () => {
    expect(namesOfOthers(own, [pod('1', { name: 'web', hostname: 'WEB' })])).toBe('10.0.0.9\tweb\n');
  });

  it('belong to the pod that is called so, before one that only calls itself so', () => {
    const impostor = pod('1', { hostname: 'web', networks: [on('blue', '10.0.0.1/24')] });
    const web = pod('2', { name: 'web', hostname: 'box', networks: [on('blue', '10.0.0.2/24')] });
    const late = pod('3', { hostname: 'box', networks: [on('blue', '10.0.0.3/24')] });
    for (const others of [
      [impostor, web, late],
      [late, web, impostor],
    ])
      expect(namesOfOthers(own, others)).toBe('10.0.0.2\tweb box\n');
  });
});
