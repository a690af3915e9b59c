import { describe, expect, test } from 'vitest';
import { formatOwner, isGone, parseOwner } from '../../../cni-plugins/attachment.ts';
import { parseCidr } from '../../../cni-plugins/ip.ts';
import {
  findConflict,
  formatClaim,
  formatTarget,
  type PublishedPort,
} from '../../../cni-plugins/meta/port-mappings.ts';

function port(more: Partial<PublishedPort> = {}): PublishedPort {
  const container = parseCidr(more.version === 'v6' ? 'fd00::2/64' : '10.1.2.3/24');
  return {
    protocol: 'tcp',
    hostPort: 80,
    containerPort: 8080,
    version: 'v4',
    hostIp: undefined,
    container,
    ...more,
  };
}

function conflicts(mine: Partial<PublishedPort>, theirs: Partial<PublishedPort>): boolean {
  const rules = `tcp dport 80 dnat ip to 10.9.9.9:1 comment "${formatClaim(port(theirs))}"`;
  return findConflict([port(mine)], rules) !== undefined;
}

describe('a published port', () => {
  test('is in the way of the same one of the same address, or of all', () => {
    expect(conflicts({}, {})).toBe(true);
    expect(conflicts({ hostIp: '192.0.2.1' }, {})).toBe(true);
    expect(conflicts({}, { hostIp: '192.0.2.1' })).toBe(true);
    expect(conflicts({ hostIp: '192.0.2.1' }, { hostIp: '192.0.2.1' })).toBe(true);
    expect(conflicts({ hostIp: '192.0.2.1' }, { hostIp: '192.0.2.2' })).toBe(false);
  });

  test('is in nobody’s way with another number, protocol or family', () => {
    expect(conflicts({ hostPort: 8 }, {})).toBe(false);
    expect(conflicts({ protocol: 'udp' }, {})).toBe(false);
    expect(conflicts({ version: 'v6' }, {})).toBe(false);
    expect(conflicts({ version: 'v6' }, { version: 'v6' })).toBe(true);
  });

  test('leads to an address as both languages write it', () => {
    expect(formatTarget(port())).toBe('10.1.2.3:8080');
    expect(formatTarget(port({ version: 'v6' }))).toBe('[fd00::2]:8080');
  });
});

describe('the owner of rules', () => {
  const attachment = { network: 'my_net.1', containerId: 'a-b', ifName: 'eth0"; drop @x' };

  test('is read as it was written, with no letter that a table’s name could not have', () => {
    const text = formatOwner('cni-hostports', attachment);
    expect(text).toMatch(/^[A-Za-z0-9./_-]+$/);
    expect(parseOwner('cni-hostports', text)).toEqual(attachment);
  });

  test('is nobody for rules of another kind, and of others', () => {
    expect(parseOwner('cni-masquerade', formatOwner('cni-hostports', attachment))).toBeUndefined();
    expect(parseOwner('cni-hostports', 'cni-hostports/a/b')).toBeUndefined();
    expect(parseOwner('cni-hostports', 'cni-hostports/a/b/c/d')).toBeUndefined();
    expect(parseOwner('cni-hostports', 'somebody')).toBeUndefined();
  });

  test('has gone when its network is meant and the runtime does not know it', () => {
    const known = { containerId: 'a-b', ifName: attachment.ifName };
    expect(isGone(attachment, 'my_net.1', [])).toBe(true);
    expect(isGone(attachment, 'my_net.1', [known])).toBe(false);
    expect(isGone(attachment, 'my_net.1', [{ ...known, ifName: 'eth1' }])).toBe(true);
    expect(isGone(attachment, 'another', [])).toBe(false);
  });
});
