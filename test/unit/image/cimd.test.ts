import { describe, expect, test } from 'vitest';
import { imageNameOf, type Label, parseACIdentifier } from '../../../src/appc/index.ts';
import { formatCimd, parseCimd } from '../../../src/image/cimd.ts';
import type { ImageOrigin } from '../../../src/image/origin.ts';
import { parseRegistryReference } from '../../../src/image/registry/reference.ts';

const AWKWARD = [
  'plain',
  'a b+c%20d',
  '?&=#,:;@/\\',
  `'"!*()~-._`,
  '{name}\n\t\0',
  'grüße 🚀',
  '%',
  '',
  '..',
];

function name(labels: Readonly<Record<string, string>>): ImageOrigin {
  const entries = Object.entries(labels).map(
    ([key, value]): Label => ({ name: parseACIdentifier(key), value }),
  );
  return { kind: 'appc-name', ...imageNameOf(parseACIdentifier('example.com/a~b_c.d-e'), entries) };
}

const ORIGINS: ImageOrigin[] = [
  name({}),
  ...AWKWARD.map((value) => name({ version: value, 'a/b': value })),
  { kind: 'aci-url', url: 'https://example.com:8443/a%20b.aci?c=d%26e&f=+' },
  ...AWKWARD.filter((text) => !text.includes('\0')).flatMap((text): ImageOrigin[] => [
    { kind: 'aci-file', path: `/a${text}b` },
    { kind: 'oci-layout', path: `/a${text}b`, tag: text === '' ? undefined : text },
    { kind: 'oci-archive', path: '/a.tar', tag: text === '' ? undefined : text },
  ]),
  { kind: 'docker', reference: parseRegistryReference('busybox') },
  { kind: 'docker', reference: parseRegistryReference(`h:5000/a/b:c@sha256:${'0'.repeat(64)}`) },
  { kind: 'docker-archive', path: '/a.tar', tag: undefined },
  { kind: 'docker-archive', path: '/a.tar', tag: 'registry-1.docker.io/library/busybox:latest' },
];

test.each(ORIGINS.map((origin) => [formatCimd(origin), origin] as const))('%s reads back', (uri, origin) => {
  expect(parseCimd(uri)).toEqual(origin);
});

test('different origins have different URIs', () => {
  expect(new Set(ORIGINS.map(formatCimd)).size).toBe(new Set(ORIGINS.map((o) => JSON.stringify(o))).size);
});

describe('other spellings', () => {
  test.each([
    ['cimd:appc:v=0:a?b=1&c=2', 'cimd:appc:v=0:a?c=2&b=1'],
    ['cimd:appc:v=0:a/b', 'cimd:appc:v=0:a%2Fb'],
    ['cimd:appc:v=0:a', 'cimd:appc:v=0:a?'],
    ['cimd:appc:v=0:a?b=%3F', 'cimd:appc:v=0:a?b=?'],
    ['cimd:aci-archive:v=0:https%3A%2F%2Fh%2Fa', 'cimd:aci-archive:v=0:https://h/a'],
    ['cimd:aci-archive:v=0:https%3A%2F%2Fh%2Fa', 'cimd:aci-archive:v=00:HTTPS%3a%2f%2fH%2fa%23b'],
    ['cimd:docker:v=0:registry-1.docker.io/library/busybox:latest', 'cimd:docker:v=0:busybox'],
    [
      'cimd:docker-archive:v=0:file%3A%2F%2F%2Fa?ref=registry-1.docker.io%2Flibrary%2Fb%3Alatest',
      'cimd:docker-archive:v=0:file:///a?ref=b',
    ],
  ])('%s is also %s', (uri, other) => {
    expect(formatCimd(parseCimd(other))).toBe(uri);
  });
});

test.each([
  ['cimd:', 'bad-reference', '"cimd:" is not of the form cimd:TYPE:v=0:DATA'],
  ['cimd:appc:0:a', 'bad-reference', 'is not of the form'],
  ['cimd:appc:v=:a', 'bad-reference', 'is not of the form'],
  ['cimd:appc:v=1:a', 'unsupported', 'cimd URI is of version 1, which is not known'],
  ['cimd:toString:v=0:a', 'unsupported', 'cimd URI is of the type "toString", which is not known'],
  ['cimd:appc:v=0:', 'bad-reference', 'expected an AC identifier'],
  ['cimd:appc:v=0:a%', 'bad-reference', '"a%", which is not escaped as in a query'],
  ['cimd:appc:v=0:a?b=%ff', 'bad-reference', '"%ff", which is not escaped'],
  ['cimd:appc:v=0:a?B=1', 'bad-reference', 'expected an AC identifier'],
  ['cimd:appc:v=0:a?b=1&b=1', 'bad-reference', 'label "b" is given more than once'],
  ['cimd:appc:v=0:a?name=b', 'bad-reference', 'a label must not be called "name"'],
  ['cimd:aci-archive:v=0:https%3A%2F%2Fh%2Fa?b=c', 'bad-reference', 'a question mark that is not escaped'],
  ['cimd:aci-archive:v=0:ftp%3A%2F%2Fh%2Fa', 'bad-reference', 'URL ftp://h/a is neither https nor http'],
  ['cimd:aci-archive:v=0:file%3A%2F%2Fh%2Fa', 'bad-reference', 'is not the URL of a local file'],
  ['cimd:aci-archive:v=0:', 'bad-reference', 'not a URL: ""'],
  ['cimd:docker:v=0:', 'bad-reference', 'image name ""'],
  ['cimd:oci-archive:v=0:https%3A%2F%2Fh%2Fa', 'bad-reference', 'is not the URL of a local file'],
  [
    'cimd:oci-archive:v=0:file%3A%2F%2F%2Fa?tag=b',
    'bad-reference',
    'another query than ref=TAG: {"tag":"b"}',
  ],
  ['cimd:oci-archive:v=0:file%3A%2F%2F%2Fa?ref=', 'bad-reference', 'another query than ref=TAG'],
  ['cimd:oci-archive:v=0:file%3A%2F%2F%2Fa?ref=b&ref=c', 'bad-reference', 'another query than ref=TAG'],
])('%s is refused', (text, code, problem) => {
  const message = expect.stringContaining(problem);
  expect(() => parseCimd(text)).toThrow(expect.objectContaining({ code, message }));
});
