import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { trustedAuthorities } from '../../../../src/image/http/authorities.ts';
import { TestAuthority } from '../../../support/certificates.ts';

let directory = '';
let empty = '';
let authority: TestAuthority;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'rkt-authorities-'));
  authority = await TestAuthority.create(directory);
  empty = join(directory, 'empty.pem');
  writeFileSync(empty, '# nobody\n');
});
afterAll(() => rmSync(directory, { recursive: true }));

test('who names a list that has nobody trusts nobody, and not all that Node does', () => {
  expect(trustedAuthorities({ SSL_CERT_FILE: empty })).toEqual([]);
  const further = { SSL_CERT_FILE: empty, NODE_EXTRA_CA_CERTS: authority.caPath };
  expect(trustedAuthorities(further)).toHaveLength(1);
});

test('a further authority takes nobody away', () => {
  const all = trustedAuthorities({});
  expect(all.length).toBeGreaterThan(10);
  expect(trustedAuthorities({ NODE_EXTRA_CA_CERTS: authority.caPath })).toHaveLength(all.length + 1);
  // As a shell passes on what it has not.
  expect(trustedAuthorities({ SSL_CERT_FILE: '', SSL_CERT_DIR: '', NODE_EXTRA_CA_CERTS: '' })).toEqual(all);
});
