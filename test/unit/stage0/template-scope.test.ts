import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openHost } from '../../../src/stage0/host.ts';
import { sparesKept, templateDirectory } from '../../../src/stage0/template-scope.ts';

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'rkt-scope-'));
});
afterEach(() => rmSync(root, { recursive: true }));

function hostOf(settings: object | undefined) {
  mkdirSync(join(root, 'templates.d'));
  const document = JSON.stringify({ rktKind: 'template', rktVersion: 'v1', ...settings });
  if (settings !== undefined) writeFileSync(join(root, 'templates.d/a.json'), document);
  const directories = { dataDirectory: join(root, 'data'), systemConfig: root, localConfig: root };
  return openHost({ ...directories, insecure: new Set(), debug: false });
}

test.each([
  [undefined, undefined, undefined],
  [{ scope: 'off', spareSeconds: 5 }, undefined, undefined],
  [{ scope: 'host' }, 'host', undefined],
  [{ scope: 'host', spares: 0, spareSeconds: 5 }, 'host', undefined],
  [{ scope: 'host', spares: 2 }, 'host', '2:600'],
  [{ scope: 'tenant', tenant: 'crew', spares: 1, spareSeconds: 5 }, 'tenant-crew', '1:5'],
  [{ scope: 'tenant' }, `tenant-${process.getuid?.()}`, undefined],
])('%j: pods start from the templates of %s, and leave %s spares', (settings, scope, spares) => {
  const host = hostOf(settings);
  expect(templateDirectory(host)).toBe(scope && join(root, 'data/templates', scope));
  expect(sparesKept(host)).toBe(spares);
});
