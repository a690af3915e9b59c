import { expect, test } from 'vitest';
import {
  formatHostNamespaces,
  parseHostNamespaces,
  parsePluginDirectories,
} from '../../../src/abi/host-namespaces.ts';

test('what is written is read', () => {
  const fds = { mountNamespace: 5, networkNamespace: 6 };
  expect(parseHostNamespaces(formatHostNamespaces(fds))).toEqual(fds);
});

test.each([
  ['', 'RKT_HOST_NAMESPACES is not JSON: ""'],
  ['{"mountNamespace":1,"networkNamespace":4}', 'RKT_HOST_NAMESPACES.mountNamespace'],
  ['{"mountNamespace":4}', 'RKT_HOST_NAMESPACES.networkNamespace'],
])('%j is refused', (text, reason) => {
  expect(() => parseHostNamespaces(text)).toThrow(reason);
});

test('only absolute paths are directories of plugins: a relative one would be read in the pod', () => {
  expect(parsePluginDirectories('/a::b:/c/d:.')).toEqual(['/a', '/c/d']);
});
