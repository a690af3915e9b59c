import { expect, it } from 'vitest';
import { verityParameters } from '../../../guest-init/sealed-disks.ts';

it('a disk whose hashes lie behind its data is one device twice, as dm-verity is told', () => {
  const seal = { blocks: 15860, salt: 'aa', rootHash: 'bb', algorithm: 'sha256' };
  expect(verityParameters('/dev/vda', seal)).toBe('1 /dev/vda /dev/vda 4096 4096 15860 15860 sha256 bb aa');
});
