import { describe, expect, it } from 'vitest';
import {
  DEFAULT_NAME_MODES,
  formatNameModes,
  HOSTS_MODES,
  parseNameModes,
  RESOLVER_MODES,
} from '../../../src/abi/name-modes.ts';
import { formatRunArguments, parseRunArguments, type RunArguments } from '../../../src/abi/stage1.ts';

const RUN: RunArguments = {
  uuid: 'u',
  debug: false,
  net: 'default',
  mdsToken: null,
  interactive: false,
  localConfig: '/etc/rkt',
  mutable: false,
  hostname: null,
  privateUsers: null,
  ipc: 'auto',
  names: DEFAULT_NAME_MODES,
  disableCapabilitiesRestriction: false,
  disablePaths: false,
  disableSeccomp: false,
  strictIsolators: false,
};

describe('where names come from', () => {
  it('is read as it is written', () => {
    for (const resolver of RESOLVER_MODES)
      for (const hosts of HOSTS_MODES) {
        const names = { resolver, hosts };
        expect(parseNameModes(formatNameModes(names))).toEqual(names);
        expect(parseRunArguments(formatRunArguments({ ...RUN, names }))).toEqual({ ...RUN, names });
      }
  });

  it('is said to a stage1 only where somebody asks for it: older ones do not know the argument', () => {
    const argument = (names: RunArguments['names']) =>
      formatRunArguments({ ...RUN, names }).filter((text) => text.startsWith('--dns'));
    expect(argument(DEFAULT_NAME_MODES)).toEqual([]);
    expect(argument({ resolver: 'stage0', hosts: 'host' })).toEqual([
      '--dns-conf-mode=resolv=stage0,hosts=host',
    ]);
  });

  it('may leave one out', () => {
    expect(parseNameModes('hosts=host')).toEqual({ resolver: 'default', hosts: 'host' });
  });

  it.each(['', 'resolv', 'resolv=', 'resolv=stage1', 'hosts=none', 'dns=host'])('is not %j', (text) => {
    expect(() => parseNameModes(text)).toThrow(`--dns-conf-mode: ${JSON.stringify(text)} is no mode`);
  });
});
