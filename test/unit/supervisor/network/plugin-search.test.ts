import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { useEngine } from '../../../../src/native/engine.ts';
import { findPlugin } from '../../../../src/supervisor/network/plugin-search.ts';
import { koffiEngine } from '../../../support/koffi-syscall.ts';

const root = mkdtempSync(join(tmpdir(), 'plugins-'));
const [first, second] = [join(root, 'first'), join(root, 'second')];

beforeAll(() => {
  useEngine(koffiEngine);
  // A directory of a network's plugins, beside those of plugins; and what may not be executed.
  mkdirSync(join(first, 'bridge'), { recursive: true });
  mkdirSync(second);
  writeFileSync(join(first, 'ptp'), '', { mode: 0o644 });
  for (const name of ['bridge', 'ptp']) writeFileSync(join(second, name), '', { mode: 0o755 });
});
afterAll(() => rmSync(root, { recursive: true }));

test.each(['bridge', 'ptp'])('%s is the first program of the name', (type) => {
  expect(findPlugin(type, [join(root, 'none'), first, second])).toBe(join(second, type));
});

test.each(['../second/ptp', '.', '..', ''])('%j leads nowhere', (type) => {
  expect(() => findPlugin(type, [first])).toThrow(`'${type}' is no type of a plugin`);
});

test('one that is nowhere is told with where it was looked for', () => {
  expect(() => findPlugin('vlan', [first, second])).toThrow('there is no such plugin');
});
