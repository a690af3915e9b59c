import { describe, expect, it } from 'vitest';
import { INTERFACE_VERSION_ANNOTATION } from '../../../src/abi/stage1.ts';
import { interfaceVersion, knownGcArguments, unknownRunArgument } from '../../../src/abi/stage1-versions.ts';
import { parseACIdentifier } from '../../../src/appc/index.ts';

const saying = (value: string) => [{ name: parseACIdentifier(INTERFACE_VERSION_ANNOTATION), value }];

describe('the version of a stage1’s interface', () => {
  it('is the first where the manifest does not say, and none that is not known', () => {
    expect(interfaceVersion([])).toBe(1);
    expect(['1', '6'].map((text) => interfaceVersion(saying(text)))).toEqual([1, 6]);
    for (const text of ['0', '7', '2.5', 'six', '']) expect(interfaceVersion(saying(text))).toBeUndefined();
  });

  it('says which arguments of run are too new for it', () => {
    const words = [
      '--debug',
      '--net=none',
      '--local-config=/etc/rkt',
      '--mds-token=x',
      '--interactive',
      'UUID',
    ];
    expect(unknownRunArgument(words, 1)).toBeUndefined();
    const since = {
      '--hostname=box': 2,
      '--disable-seccomp': 3,
      '--disable-paths': 3,
      '--disable-capabilities-restriction': 3,
      '--dns-conf-mode=resolv=host': 4,
      '--mutable': 5,
      '--ipc=parent': 6,
    };
    for (const [word, version] of Object.entries(since)) {
      expect(unknownRunArgument([...words, word], version - 1)).toBe(word);
      expect(unknownRunArgument([...words, word], version)).toBeUndefined();
    }
  });

  it('leaves out of the arguments of gc what it does not know', () => {
    const words = ['--debug', '--local-config=/etc/rkt', 'UUID'];
    expect(knownGcArguments(words, 4)).toEqual(['--debug', 'UUID']);
    expect(knownGcArguments(words, 5)).toEqual(words);
  });
});
