import { writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { writeFileImage } from '../support/file-image.ts';
import { useRkt } from '../support/rkt.ts';

// What is wrong with a port is found before a pod runs: nothing here starts one.

const rkt = useRkt();
let image = '';
beforeAll(async () => {
  writeFileSync(rkt.path('empty'), '');
  image = await writeFileImage(rkt.path('ports.aci'), {
    name: 'example.com/ports',
    exec: ['/bin/true'],
    files: rkt.path('tmp'),
    ports: [
      { name: 'www', protocol: 'tcp', port: 80 },
      { name: 'dns', protocol: 'udp', port: 53 },
    ],
  });
});

const refusal = async (...args: string[]) => {
  const { code, stdout, stderr } = await rkt.run(args);
  // As in rkt.
  expect({ code, stdout }).toEqual({ code: args.includes('sandbox') ? 1 : 254, stdout: '' });
  return stderr;
};

describe('--port is refused', () => {
  test.each([
    ['80', '--port=80: expected NAME:[IP:]HOST, or [IP:]HOST[-END]:POD[-END][/udp|/sctp]'],
    ['www:65536', '--port=www:65536: port 65536 is not from 0 to 65535'],
    ['8080-8082:80', '--port=8080-8082:80: 3 of the host cannot lead to 1 of the pod'],
    ['[10.0.0.1]:8080:80', '--port=[10.0.0.1]:8080:80: "[10.0.0.1]" is no IP address'],
    ['ftp:2121', 'port "ftp" is not defined by any app: they have www, dns'],
    ['[::1]:8080:80', 'port 80-tcp: what is sent to ::1 never leaves the host; 127.0.0.1 can be published'],
  ])('%s', async (port, problem) => {
    expect(await refusal('prepare', `--port=${port}`, image)).toBe(`prepare: ${problem}\n`);
    expect(await refusal('run', '--net=default', `--port=${port}`, image)).toBe(`run: ${problem}\n`);
    expect(await rkt.list()).toEqual([]);
  });

  test('beside another that it excludes', async () => {
    const both = ['--port=www:8080', '--port=10.0.0.1:8080-8089:90-99'];
    expect(await refusal('prepare', ...both, image)).toBe(
      'prepare: tcp ports 10.0.0.1:8080-8089 is published twice: www, 90-tcp\n',
    );
  });

  test.each(['none', 'host'])('with --net=%s, in rkt’s words, before anything is fetched', async (net) => {
    const words = `--port flag does not work with '${net}' networking\n`;
    expect(await refusal('run', `--net=${net}`, '--port=www:80', '/no/such.aci')).toBe(`run: ${words}`);
    const sandbox = ['app', 'sandbox', `--net=${net}`, '--port=www:tcp:80::8080'];
    expect(await refusal(...sandbox)).toMatch(new RegExp(`^(app )?sandbox: ${words}$`));
    const uuid = (await rkt.output(['prepare', '--port=www:8080', image])).trim();
    expect(await refusal('run-prepared', `--net=${net}`, uuid)).toBe(
      `run-prepared: ports of the pod manifest do not work with '${net}' networking\n`,
    );
    // It can still be run otherwise.
    expect(await rkt.output(['status', uuid])).toMatch(/^state=prepared$/m);
    await rkt.output(['rm', uuid]);
  });

  test('with a pod manifest, which has its own', async () => {
    writeFileSync(rkt.path('pod.json'), '{}');
    const manifest = `--pod-manifest=${rkt.path('pod.json')}`;
    expect(await refusal('prepare', manifest, '--port=www:80')).toBe(
      'prepare: conflicting flags set with --pod-manifest (see --help)\n',
    );
  });

  test('by a sandbox in the form that names an image’s port', async () => {
    const sandbox = ['app', 'sandbox', '--net=default', '--port=www:8080'];
    expect(await refusal(...sandbox)).toContain(
      '--port=www:8080: expected NAME:PROTOCOL:POD:[IP]:HOST, or [IP:]HOST[-END]:POD[-END][/udp|/sctp]\n',
    );
  });
});

test('a prepared pod keeps its ports in its manifest, and is made again from there', async () => {
  const flags = ['--port=www:127.0.0.1:8080', '--port=0:80', '--port=[2001:DB8::1]:5000-5009:5000-5009/udp'];
  const uuid = (await rkt.output(['prepare', ...flags, image])).trim();
  const manifest = JSON.parse(await rkt.output(['cat-manifest', uuid]));
  const podPort = { socketActivated: false };
  expect(manifest.ports).toEqual([
    { name: 'www', hostPort: 8080, hostIP: '127.0.0.1' },
    {
      name: '80-tcp',
      hostPort: 0,
      podPort: { name: '80-tcp', protocol: 'tcp', port: 80, count: 1, ...podPort },
    },
    {
      ...{ name: '5000-udp', hostPort: 5000, hostIP: '2001:db8::1' },
      podPort: { name: '5000-udp', protocol: 'udp', port: 5000, count: 10, ...podPort },
    },
  ]);
  writeFileSync(rkt.path('again.json'), JSON.stringify(manifest));
  const again = (await rkt.output(['prepare', `--pod-manifest=${rkt.path('again.json')}`])).trim();
  expect(JSON.parse(await rkt.output(['cat-manifest', again])).ports).toEqual(manifest.ports);
  const wrong = { ...manifest, ports: [{ name: 'ftp', hostPort: 21 }] };
  writeFileSync(rkt.path('wrong.json'), JSON.stringify(wrong));
  expect(await refusal('prepare', `--pod-manifest=${rkt.path('wrong.json')}`)).toBe(
    'prepare: port "ftp" is not defined by any app: they have www, dns\n',
  );
});
