import { expect, it } from 'vitest';
import { EMPTY_RESULT } from '../../../../src/net/cni/result.ts';
import { gatewaysOf } from '../../../../src/supervisor/network/host-address.ts';

it('takes gateways of addresses first, then of routes; none that means something on one link alone', () => {
  const result = {
    ...EMPTY_RESULT,
    ips: [
      { address: 'fd00::2/64', gateway: 'fe80::1' },
      { address: '10.1.0.2/24', gateway: '10.1.0.1' },
      { address: '10.2.0.2/24' },
    ],
    routes: [{ dst: '0.0.0.0/0' }, { dst: '::/0', gw: 'fd00::1' }, { dst: '10.3.0.0/16', gw: 'FE80::2' }],
  };
  expect(gatewaysOf(result)).toEqual(['10.1.0.1', 'fd00::1']);
  expect(gatewaysOf(EMPTY_RESULT)).toEqual([]);
});
