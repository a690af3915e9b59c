import { expect, it } from 'vitest';
import { askedAddresses } from '../../../cni-plugins/ipam/asked-addresses.ts';
import { parseRequest } from '../../../cni-plugins/request.ts';

const asked = (variable: string, args: unknown, capability: unknown) => {
  const environment = (name: string) => (name === 'CNI_ARGS' ? `IgnoreUnknown=1;IP=${variable}` : 'x');
  const value = { name: 'n', args: { cni: { ips: args } }, runtimeConfig: { ips: capability } };
  return askedAddresses(parseRequest('ADD', environment, value));
};

it('takes what is said in several ways for one address', () => {
  expect(asked('', null, null)).toEqual([]);
  expect(asked('10.1.2.3,fd00::3', null, null)).toEqual(['10.1.2.3', 'fd00::3']);
  expect(asked('fd00::3', ['10.1.2.3'], ['10.1.2.3', 'fd00::3'])).toEqual(['fd00::3', '10.1.2.3']);
  expect(() => asked('', [5], null)).toThrow('is no address');
});
