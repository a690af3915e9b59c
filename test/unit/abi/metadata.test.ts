import { describe, expect, it } from 'vitest';
import { formatRegistration, isToken, metadataUrl, parseRegistration } from '../../../src/abi/metadata.ts';
import { parseRunArguments } from '../../../src/abi/stage1.ts';

const token = '0123456789abcdef'.repeat(2);

describe('a registration', () => {
  it.each([null, 18200])('with port %s is read as it is written', (port) => {
    expect(parseRegistration(formatRegistration({ token, port }))).toEqual({ token, port });
  });

  it.each(['{}', '[]', '{"token":1}', `{"token":"${token}","port":0}`])('is not %s', (text) => {
    expect(() => parseRegistration(text)).toThrow(/metadata\.json/);
  });
});

it('leads apps to an address of either family, at the port that the service has told', () => {
  expect(metadataUrl('192.0.2.1', { token, port: 18200 })).toBe(`http://192.0.2.1:18200/${token}`);
  expect(metadataUrl('fd00::1', { token, port: null })).toBe(`http://[fd00::1]:18112/${token}`);
});

it('has a token of 128 bits', () => {
  expect(isToken(token)).toBe(true);
  expect(['', token.slice(1), `${token}0`, token.toUpperCase(), `${token.slice(1)}/`].some(isToken)).toBe(
    false,
  );
});

it('comes to a stage1 as an argument, as in rkt', () => {
  expect(parseRunArguments([`--mds-token=${token}`, 'uuid']).mdsToken).toBe(token);
});
