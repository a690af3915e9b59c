import { describe, expect, it } from 'vitest';
import { withNames } from '../../../guest-init/hosts-names.ts';

const BEGIN = '# Pods on the same networks, as they come and go:\n';

describe('names in a hosts file', () => {
  it('come after what is there', () => {
    expect(withNames('127.0.0.1 localhost\n', '10.0.0.2\tweb\n')).toBe(
      `127.0.0.1 localhost\n${BEGIN}10.0.0.2\tweb\n`,
    );
    expect(withNames('127.0.0.1 localhost', '10.0.0.2\tweb\n')).toBe(
      `127.0.0.1 localhost\n${BEGIN}10.0.0.2\tweb\n`,
    );
    expect(withNames('', '10.0.0.2\tweb\n')).toBe(`${BEGIN}10.0.0.2\tweb\n`);
  });

  it('take the place of earlier ones, and leave no trace', () => {
    for (const own of ['', '127.0.0.1 localhost\n']) {
      const before = withNames(own, '10.0.0.2\tweb\n');
      expect(withNames(before, '10.0.0.3\tdb\n')).toBe(withNames(own, '10.0.0.3\tdb\n'));
      expect(withNames(before, '')).toBe(own);
      expect(withNames(before, '10.0.0.2\tweb\n')).toBe(before);
    }
  });

  it('leave a file without names as it is', () => {
    expect(withNames('127.0.0.1 localhost', '')).toBe('127.0.0.1 localhost');
  });
});
