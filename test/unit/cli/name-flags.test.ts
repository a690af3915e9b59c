import { describe, expect, it } from 'vitest';
import { type NameValues, namesRequest } from '../../../src/cli/name-flags.ts';

describe('a request of names', () => {
  it('is none without flags', () => {
    expect(namesRequest({})).toEqual({});
  });

  it('names servers, and what else a resolv.conf has', () => {
    const values = {
      dns: ['192.0.2.1,2001:db8::1', '192.0.2.2'],
      dnsSearch: ['a.example'],
      dnsOpt: ['ndots:2'],
    };
    expect(namesRequest(values).names?.resolver).toEqual({
      kind: 'stage0',
      dns: {
        nameservers: ['192.0.2.1', '2001:db8::1', '192.0.2.2'],
        search: ['a.example'],
        options: ['ndots:2'],
        domain: '',
      },
    });
    expect(namesRequest({ dnsDomain: 'b.example' }).names).toEqual({
      resolver: { kind: 'stage0', dns: { nameservers: [], search: [], options: [], domain: 'b.example' } },
      hosts: { kind: 'default' },
    });
  });

  it.each(['host', 'none'])('takes --dns=%s alone', (word) => {
    expect(namesRequest({ dns: [word] }).names?.resolver).toEqual({ kind: word });
    const refusal = `no other --dns options allowed when --dns=${word} is passed`;
    expect(() => namesRequest({ dns: [word, '192.0.2.1'] })).toThrow(refusal);
    expect(() => namesRequest({ dns: [`192.0.2.1,${word}`] })).toThrow(refusal);
    for (const other of [{ dnsSearch: ['x'] }, { dnsOpt: ['x'] }, { dnsDomain: 'x' }])
      expect(() => namesRequest({ dns: [word], ...other })).toThrow(`do not go with --dns=${word}`);
  });

  it('merges the names of one address', () => {
    const values = { hostsEntry: ['10.0.0.1=a,10.0.0.2=b', '10.0.0.1=c.example'] };
    expect(namesRequest(values).names?.hosts).toEqual({
      kind: 'stage0',
      entries: [
        { address: '10.0.0.1', names: ['a', 'c.example'] },
        { address: '10.0.0.2', names: ['b'] },
      ],
    });
    expect(namesRequest({ hostsEntry: ['host'] }).names?.hosts).toEqual({ kind: 'host' });
  });

  it.each<[NameValues, string]>([
    [{ dns: ['example.com'] }, '--dns=example.com: no address'],
    [{ dns: ['192.0.2.1\nsearch x'] }, 'no address'],
    [{ dns: [''] }, 'no address'],
    [{ dnsSearch: ['a b'] }, '--dns-search: "a b" is no word'],
    [{ dnsOpt: ['a\nb'] }, '--dns-opt: "a\\nb" is no word'],
    [{ dnsDomain: '' }, '--dns-domain: "" is no word'],
    [{ hostsEntry: ['10.0.0.1'] }, 'did not understand --hosts-entry 10.0.0.1'],
    [{ hostsEntry: ['10.0.0.1=a b'] }, 'did not understand --hosts-entry 10.0.0.1=a b'],
    [{ hostsEntry: ['10.0.0.1=a\n10.0.0.1 b'] }, 'did not understand'],
    [{ hostsEntry: ['web=web'] }, '--hosts-entry=web=web: "web" is no address'],
    [{ hostsEntry: ['host', '10.0.0.1=a'] }, 'cannot pass --hosts-entry=host with multiple hosts-entries'],
  ])('refuses %j', (values, message) => {
    expect(() => namesRequest(values)).toThrow(message);
  });
});
