import { truncateSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { openKeystore } from '../../../src/trust/index.ts';
import { readPublicKeys } from '../../../src/trust/key.ts';
import { tool } from '../../support/tool.ts';
import { NAME, useSigners } from './signers.ts';

const VERIFIER = fileURLToPath(new URL('../../support/verify-signature.ts', import.meta.url));
const MEGABYTE = 1024 * 1024;

const { gpg, key, at } = useSigners('rsa2048');

test('the memory for a signature does not grow with the image', async () => {
  writeFileSync(at('image'), '');
  truncateSync(at('image'), 300 * MEGABYTE);
  await gpg.run(['--local-user', key('rsa2048'), '--output', at('image.asc'), '--detach-sign', at('image')]);
  const keystore = openKeystore({ systemDirectory: at('etc'), localDirectory: at('etc') });
  for (const trusted of await readPublicKeys(await gpg.exportKeys([key('rsa2048')]), 'key'))
    keystore.add({ kind: 'root' }, trusted);
  const args = ['--import', 'tsx', VERIFIER, at('etc'), NAME, at('image'), at('image.asc')];
  const grown = Number(await tool(process.execPath, args));
  expect(grown).toBeGreaterThanOrEqual(0);
  expect(grown).toBeLessThan(80 * MEGABYTE);
});
