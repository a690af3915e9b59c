import { expect, test } from 'vitest';
import type { PublishedPort } from '../../../src/abi/published-ports.ts';
import { formatJson } from '../../../src/cli/json.ts';
import { portJson, portsText } from '../../../src/cli/pod-ports.ts';

const web: PublishedPort = { name: 'web', protocol: 'tcp', hostPort: 8080, podPort: 80, count: 1 };
const dns: PublishedPort = {
  ...{ name: 'dns', protocol: 'udp', hostIP: '::', hostPort: 5300, podPort: 53, count: 2 },
};

test('ports are shown as they are asked for', () => {
  expect(portsText([web, dns])).toBe('8080:80/tcp, [::]:5300-5301:53-54/udp');
});

test('and in JSON by their parts', () => {
  expect(formatJson([web, dns].map(portJson))).toBe(
    '[{"name":"web","protocol":"tcp","host_port":8080,"pod_port":80,"count":1},' +
      '{"name":"dns","protocol":"udp","host_ip":"::","host_port":5300,"pod_port":53,"count":2}]',
  );
});
