import { describe, expect, it } from 'vitest';
import {
  debianMirror,
  formatRelease,
  parseDeb822Sources,
  parseSourcesList,
} from '../../../tools/apt-sources.ts';

const list = `# comment
deb http://mirror.test/debian bookworm main contrib # trailing
deb [arch=amd64 signed-by=/x.gpg] https://vendor.test/apt stable vendor
deb-src http://mirror.test/debian bookworm main

deb http://mirror.test/debian-security bookworm-security main
`;

const deb822 = `Types: deb
# a comment inside
URIs: http://deb.test/debian
Suites: trixie trixie-updates
Components: main
  contrib

Types: deb
URIs: http://off.test/debian
Suites: sid
Components: main
Enabled: no

Types: deb
URIs: http://deb.test/debian-security
Suites: trixie-security
Components: main
`;

describe('apt sources', () => {
  it('reads the one-line format', () => {
    expect(parseSourcesList(list)).toEqual([
      {
        types: ['deb'],
        uris: ['http://mirror.test/debian'],
        suites: ['bookworm'],
        components: ['main', 'contrib'],
      },
      { types: ['deb'], uris: ['https://vendor.test/apt'], suites: ['stable'], components: ['vendor'] },
      { types: ['deb-src'], uris: ['http://mirror.test/debian'], suites: ['bookworm'], components: ['main'] },
      {
        types: ['deb'],
        uris: ['http://mirror.test/debian-security'],
        suites: ['bookworm-security'],
        components: ['main'],
      },
    ]);
  });

  it('reads deb822, with continued fields and without disabled stanzas', () => {
    const sources = parseDeb822Sources(deb822);
    expect(sources.map(({ uris }) => uris[0])).toEqual([
      'http://deb.test/debian',
      'http://deb.test/debian-security',
    ]);
    expect(sources[0]?.components).toEqual(['main', 'contrib']);
  });

  it('picks the archive and the security archive of debian', () => {
    expect(debianMirror(parseSourcesList(list))).toEqual({
      archive: 'http://mirror.test/debian',
      security: 'http://mirror.test/debian-security',
    });
    expect(debianMirror(parseDeb822Sources(deb822))?.archive).toBe('http://deb.test/debian');
  });

  it('does not take a vendor for debian', () => {
    expect(debianMirror(parseSourcesList('deb https://vendor.test/apt stable vendor'))).toBeUndefined();
    expect(debianMirror(parseSourcesList('deb https://vendor.test/node nodistro main'))).toBeUndefined();
  });

  it('does without a security archive', () => {
    const mirror = debianMirror(parseSourcesList('deb http://m.test/debian sid main'));
    expect(mirror).toEqual({ archive: 'http://m.test/debian', security: undefined });
  });

  it('writes a sources file that it reads itself', () => {
    const text = formatRelease({ archive: 'http://a', security: 'http://s' }, 'trixie', '/k.gpg');
    expect(parseDeb822Sources(text).map(({ suites }) => suites)).toEqual([
      ['trixie', 'trixie-updates'],
      ['trixie-security'],
    ]);
  });
});
