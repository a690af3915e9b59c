import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { artefacts } from '../../tools/paths.ts';
import type { RunningCommand } from '../support/command.ts';
import { FLAVOURS } from '../support/flavours.ts';
import { ACI_MANIFEST } from '../support/image-files.ts';
import { tinyImages } from '../support/images.ts';
import { SitePod, useSite } from '../support/network-site.ts';
import { eventually } from '../support/polling.ts';
import * as tar from '../support/tar-archive.ts';

const site = useSite();
const SLEEP = ['--exec=/bin/sh', '--', '-c', 'trap exit TERM; while sleep 1; do :; done'];
const NOBODY = '0'.repeat(32);

let aci = '';
let service: RunningCommand;
beforeAll(async () => {
  aci = (await tinyImages()).aci.plain;
  service = await startService();
});

afterAll(async () => {
  service.signal('SIGTERM');
  expect((await service.finished).code).toBe(0);
});

/** At another port than by default, which pods are told. */
async function startService(): Promise<RunningCommand> {
  const args = ['metadata-service', '--listen-port=18200', '--debug'];
  const started = site.now.rkt.start(args, { timeoutSeconds: 1200 });
  await eventually('the service answers', () => {
    if (started.ended) throw new Error(`the service has ended: ${started.stderr}`);
    return started.stderr.includes('answers at port');
  });
  return started;
}

const ask = (pod: SitePod, path: string) =>
  pod.shell(`wget -q -O - "$AC_METADATA_URL/acMetadata/v1/${path}" || echo none`);

/** The status of a question that is refused. */
const statusOf = async (pod: SitePod, command: string) =>
  /HTTP\/1\.1 (\d+)/.exec(await pod.shell(`wget -S -O - ${command} 2>&1; true`))?.[1];

const urlOf = async (pod: SitePod) => (await pod.shell('echo $AC_METADATA_URL')).trim();

/** Of the host: whether the service knows a pod by this address. */
const isKnown = async (url: string) =>
  (await site.now.host.try(['/bin/busybox', 'wget', '-q', '-O', '-', `${url}/acMetadata/v1/pod/uuid`]))
    .exitCode === 0;

const onHost = (url: string) => url.replace(/\/\/[^/]*:/, '//127.0.0.1:');

const API = '$AC_METADATA_URL/acMetadata/v1';

async function sign(pod: SitePod, content: string): Promise<string> {
  return (await pod.shell(`wget -q -O - --post-data 'content=${content}' "${API}/pod/hmac/sign"`)).trim();
}

const verification = (uuid: string, content: string, signature: string) =>
  `--post-data 'content=${content}&uuid=${uuid}&signature=${encodeURIComponent(signature)}' "${API}/pod/hmac/verify"`;

describe.each(FLAVOURS)('$name', ({ image }) => {
  const stage1 = `--stage1-path=${image}`;
  let pod: SitePod;
  let other: SitePod;
  beforeAll(async () => {
    [pod, other] = await Promise.all([
      site.now.run(
        ...[
          stage1,
          '--mds-register',
          '--annotation=lorem=ipsum',
          '--set-env=AC_METADATA_URL=http://192.0.2.9/',
        ],
        ...[aci, '--name=web', '--annotation=example.com/tier=front', ...SLEEP],
      ),
      site.now.run(stage1, '--mds-register', aci, ...SLEEP),
    ]);
  });

  test('tells an app who it is', async () => {
    expect(await urlOf(pod)).toMatch(/^http:\/\/172\.16\.28\.1:18200\/[0-9a-f]{32}$/);
    expect(await ask(pod, 'pod/uuid')).toBe(pod.uuid);
    const manifest = await pod.rkt.output(['cat-manifest', pod.uuid]);
    expect(JSON.parse(await ask(pod, 'pod/manifest'))).toEqual(JSON.parse(manifest));
    expect(JSON.parse(await ask(pod, 'pod/annotations'))).toContainEqual({ name: 'lorem', value: 'ipsum' });
    expect(await ask(pod, 'pod/annotations/lorem')).toBe('ipsum');
    expect(await ask(pod, 'apps/web/annotations')).toBe('[{"name":"example.com/tier","value":"front"}]');
    expect(JSON.parse(await ask(pod, 'apps/web/image/manifest'))).toMatchObject({ name: 'example.com/tiny' });
    expect(await ask(pod, 'apps/web/image/id')).toBe(JSON.parse(manifest).apps[0].image.id);
  });

  test('says no to whom it does not know, and of what there is not', async () => {
    expect(await statusOf(pod, `"${API}/apps/db/image/id"`)).toBe('404');
    expect(await statusOf(pod, `"${API}/pod/annotations/dolor"`)).toBe('404');
    expect(await statusOf(pod, `"$\{AC_METADATA_URL%/*}/${NOBODY}/acMetadata/v1/pod/uuid"`)).toBe('401');
    expect(await statusOf(pod, `"$\{AC_METADATA_URL%/*}/${pod.uuid}/acMetadata/v1/pod/uuid"`)).toBe('401');
  });

  test('signs for a pod what others can verify, and nobody can pass off as another pod’s', async () => {
    const signature = await sign(pod, 'hello');
    expect(Buffer.from(signature, 'base64').length).toBe(64);
    expect(await statusOf(other, verification(pod.uuid, 'hello', signature))).toBe('200');
    expect(await statusOf(other, verification(pod.uuid, 'hullo', signature))).toBe('403');
    expect(await statusOf(other, verification(other.uuid, 'hello', signature))).toBe('403');
  });

  test('keeps the token from other users of the host', async () => {
    const [token = ''] = /[0-9a-f]{32}$/.exec(await urlOf(pod)) ?? [];
    const file = join(pod.rkt.dir, 'pods/run', pod.uuid, 'metadata.json');
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ token, port: 18200 });
    expect((statSync(file).mode & 0o777).toString(8)).toBe('600');
    expect(readFileSync(`/proc/${pod.command.pid}/cmdline`, 'utf8')).not.toContain(token);
  });

  test('knows the pods that run when it starts anew, and what it has signed; not those that have ended', async () => {
    const signature = await sign(pod, 'hello');
    const url = onHost(await urlOf(other));
    await other.end();
    service.signal('SIGKILL');
    await service.finished;
    service = await startService();
    expect(await ask(pod, 'pod/uuid')).toBe(pod.uuid);
    expect(await statusOf(pod, verification(pod.uuid, 'hello', signature))).toBe('200');
    expect(await isKnown(url)).toBe(false);
    expect(await isKnown(onHost(await urlOf(pod)))).toBe(true);
  });

  test('forgets a pod that is removed', async () => {
    const url = onHost(await urlOf(pod));
    await pod.end();
    expect(await isKnown(url)).toBe(true);
    await pod.rkt.output(['rm', pod.uuid]);
    expect(await isKnown(url)).toBe(false);
  });

  test('is reached by a pod on the host’s network', async () => {
    const { rkt } = site.now;
    const uuid = (await rkt.output(['prepare', '--quiet', stage1, aci, ...SLEEP])).trim();
    const command = rkt.start(['run-prepared', '--mds-register', '--net=host', uuid]);
    await rkt.output(['status', '--wait-ready', uuid]);
    const prepared = new SitePod(rkt, uuid, command);
    expect(await ask(prepared, 'pod/uuid')).toBe(uuid);
    await prepared.end();
  });
});

describe.each(FLAVOURS.filter(({ mutablePods }) => mutablePods))('a mutable pod of $name', ({ image }) => {
  test('is known with its apps as they come and go', async () => {
    const { rkt } = site.now;
    await rkt.output(['fetch', aci]);
    const args = ['app', 'sandbox', '--detach', '--mds-register', `--stage1-path=${image}`];
    const uuid = (await rkt.output(args)).trim();
    const add = (name: string) =>
      rkt.output(['app', 'add', uuid, 'example.com/tiny', `--name=${name}`, ...SLEEP]);
    await add('web');
    await add('db');
    await rkt.output(['app', 'start', uuid, '--app=web']);
    const inWeb = (path: string) =>
      rkt.output([
        'app',
        'exec',
        '--app=web',
        uuid,
        '/bin/sh',
        '-c',
        `wget -O - "${API}/${path}" 2>&1; true`,
      ]);
    expect(await inWeb('apps/db/image/manifest')).toContain('"name":"example.com/tiny"');
    expect(await inWeb('pod/manifest')).toContain('"name":"db"');
    await rkt.output(['app', 'rm', uuid, '--app=db']);
    expect(await inWeb('apps/db/image/manifest')).toContain('404');
    expect(await inWeb('pod/manifest')).not.toContain('"name":"db"');
    await rkt.output(['stop', uuid]);
  });
});

const QUESTION = 'echo $AC_METADATA_URL; wget -q -O - $AC_METADATA_URL/acMetadata/v1/pod/uuid';

test('is found by an app in the host’s own network', async () => {
  const file = site.now.rkt.path('fly-uuid');
  const flags = [`--uuid-file-save=${file}`, `--stage1-path=${artefacts.stage1Fly}`, '--mds-register'];
  const app = [aci, '--exec=/bin/sh', '--', '-c', QUESTION];
  const [url, uuid] = (await site.now.rkt.output(['run', ...flags, ...app])).split('\n');
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:18200\/[0-9a-f]{32}$/);
  expect(uuid).toBe(readFileSync(file, 'utf8'));
});

test('is found by a pod that has IPv6 alone', async () => {
  const ipam = { type: 'host-local', ranges: [[{ subnet: 'fd00:7::/64' }]] };
  const bridge = { type: 'bridge', bridge: 'seven0', isGateway: true, ipam };
  site.now.network('70-seven.conf', { cniVersion: '1.0.0', name: 'seven', ...bridge });
  const file = site.now.rkt.path('seven-uuid');
  const flags = [`--uuid-file-save=${file}`, '--net=seven', '--mds-register'];
  const app = [aci, '--exec=/bin/sh', '--', '-c', QUESTION];
  const [url, uuid] = (await site.now.rkt.output(['run', ...flags, ...app])).split('\n');
  expect(url).toMatch(/^http:\/\/\[fd00:7::1\]:18200\/[0-9a-f]{32}$/);
  expect(uuid).toBe(readFileSync(file, 'utf8'));
});

test('a stage1 that does not look for the token is given it as rkt gives it', async () => {
  const { rkt } = site.now;
  const name = 'example.com/stage1-shell';
  const annotations = [
    { name: 'coreos.com/rkt/stage1/interface-version', value: '6' },
    { name: 'coreos.com/rkt/stage1/run', value: '/run' },
  ];
  const manifest = JSON.stringify({ ...ACI_MANIFEST, name, annotations });
  const script = `#!/bin/sh
for word; do case "$word" in --mds-token=*) token="\${word#*=}"; esac; done
exec /bin/busybox wget -q -O - "http://127.0.0.1:18200/$token/acMetadata/v1/pod/uuid"
`;
  const files = [tar.directory('rootfs'), tar.file('rootfs/run', script, { mode: 0o755 })];
  writeFileSync(rkt.path('shell.aci'), tar.archive(tar.file('manifest', manifest), ...files));
  const file = rkt.path('shell-uuid');
  const args = [`--uuid-file-save=${file}`, `--stage1-path=${rkt.path('shell.aci')}`, aci];
  expect(await rkt.output(['run', '--mds-register', ...args])).toBe(readFileSync(file, 'utf8'));
});

describe('what cannot be', () => {
  const PLAIN_RUN = ['run', '--mds-register', '--net=default'] as const;

  test('a pod without a network is refused', async () => {
    expect(await site.now.rkt.run(['run', '--mds-register', '--net=none', aci])).toMatchObject({
      code: 254,
      stderr: 'run: --mds-register does not go with --net=none: apps have no way to the service\n',
    });
  });

  test('a pod without a service leaves nothing behind', async () => {
    const { rkt } = site.now;
    const prepared = (await rkt.output(['prepare', '--quiet', aci])).trim();
    const before = await rkt.list();
    const elsewhere = ['unshare', '--mount', 'sh', '-c', 'mount -t tmpfs none /run && exec "$@"', 'sh'];
    const { code, stderr } = await rkt.startArgv([...elsewhere, ...rkt.argv([...PLAIN_RUN, aci])]).finished;
    expect({ code, stderr }).toEqual({
      code: 254,
      stderr: expect.stringContaining(
        'run: no metadata service listens at /run/rkt/metadata-svc.sock: start one by "rkt metadata-service"',
      ),
    });
    const later = ['run-prepared', '--mds-register', prepared];
    const tried = await rkt.startArgv([...elsewhere, ...rkt.argv(later)]).finished;
    expect(tried).toMatchObject({ code: 254, stderr: expect.stringContaining('no metadata service') });
    expect(await rkt.list()).toEqual(before);
    expect(existsSync(join(rkt.dir, 'pods/prepared', prepared, 'metadata.json'))).toBe(false);
  });

  test('a pod whose networks do not lead to the host ends, and says why', async () => {
    const ipam = { type: 'host-local', ranges: [[{ subnet: '10.9.0.0/24' }]] };
    site.now.network('90-away.conf', {
      cniVersion: '1.0.0',
      name: 'away',
      type: 'bridge',
      bridge: 'away0',
      ipam,
    });
    const { code, stderr } = await site.now.rkt.run(['run', '--mds-register', '--net=away', aci]);
    expect({ code, stderr }).toEqual({
      code: 254,
      stderr: expect.stringContaining("none of the pod's networks (away) has an address of the host"),
    });
    await site.now.host.run('ip', 'link', 'del', 'away0');
  });

  test('a second service at one port, and a port that is none', async () => {
    const { rkt } = site.now;
    expect(await rkt.run(['metadata-service', '--listen-port=18200'])).toMatchObject({
      code: 254,
      stderr: "metadata-service: port 18200 is somebody's already: another metadata service's?\n",
    });
    expect(await rkt.run(['metadata-service'])).toMatchObject({
      code: 254,
      stderr: 'metadata-service: a metadata service listens at /run/rkt/metadata-svc.sock already\n',
    });
    expect(await rkt.run(['metadata-service', '--listen-port=0'])).toMatchObject({
      code: 254,
      stderr: 'metadata-service: --listen-port: "0" is no port\n',
    });
  });
});

function overSocket(socketPath: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request(
      { socketPath, path, method: 'PUT' },
      (response) => void text(response).then(resolve),
    );
    sent.on('error', reject);
    sent.end();
  });
}

/** As a service manager does: sockets at fd 3 and 4 of the process that becomes the service. */
const ACTIVATE = `
$^F = 9;
my ($path, $port, @command) = @ARGV;
my @sockets = (
  IO::Socket::UNIX->new(Local => $path, Listen => 8),
  IO::Socket::INET->new(LocalPort => $port, Listen => 8),
);
@ENV{"LISTEN_PID", "LISTEN_FDS"} = ($$, 2);
exec @command;
`;

test('takes the sockets of a service manager', async () => {
  const { rkt, host } = site.now;
  const path = rkt.path('activated.sock');
  const perl = ['perl', '-MIO::Socket', '-e', ACTIVATE, path, '18300'];
  const activated = rkt.startArgv([...perl, ...rkt.argv(['metadata-service', '--debug'])]);
  await eventually('the service answers', () => {
    if (activated.ended) throw new Error(`the service has ended: ${activated.stderr}`);
    return activated.stderr.includes('answers at port 18300');
  });
  expect(await overSocket(path, '/pods/1')).toContain('expected a pod UUID');
  const asked = await host.run('sh', '-c', 'busybox wget -O - http://127.0.0.1:18300/ 2>&1 || true');
  expect(asked).toContain('401 Unauthorized');
  activated.signal('SIGTERM');
  expect((await activated.finished).code).toBe(0);
  // What it has not made it does not take away.
  expect(existsSync(path)).toBe(true);
});

test.each([
  ['1000000000', 'LISTEN_FDS="1000000000" is no number of sockets, at most 64'],
  ['-1', 'LISTEN_FDS="-1" is no number of sockets'],
  ['1', 'descriptor 3, of those that LISTEN_FDS counts, is no socket that listens'],
])(
  'what is handed over as LISTEN_FDS=%s is refused where it is no socket, or no number',
  async (count, message) => {
    const { rkt } = site.now;
    const script = 'export LISTEN_PID=$$ LISTEN_FDS=$0; exec 3< /dev/null; exec "$@"';
    const service = rkt.startArgv(['sh', '-c', script, count, ...rkt.argv(['metadata-service'])]);
    const { code, stderr } = await service.finished;
    expect(code).toBe(254);
    expect(stderr).toContain(`metadata-service: ${message}`);
  },
);

/** Opens connections from one address, which say nothing, and then asks from another; counts those that are left. */
const CROWD = `
const { connect } = require('node:net');
const [port, count] = process.argv.slice(1).map(Number);
const open = new Set();
for (let n = 0; n < count; n++) {
  const socket = connect({ port, host: '127.0.0.1', localAddress: '127.0.0.8' }, () => socket.write('GET /'));
  open.add(socket);
  socket.on('error', () => {}).on('close', () => {
    open.delete(socket);
    if (open.size === 16) ask();
  });
}
function ask() {
  const socket = connect({ port, host: '127.0.0.1', localAddress: '127.0.0.9' });
  let answer = '';
  socket.on('data', (bytes) => { answer += bytes; }).on('close', () => {
    console.log(open.size, answer.split('\\r\\n')[0]);
    process.exit();
  });
  socket.write('GET / HTTP/1.1\\r\\nConnection: close\\r\\n\\r\\n');
}
`;

test('whoever opens all the connections that he can get keeps nobody else from being served', async () => {
  const answer = await site.now.host.run(process.execPath, '-e', CROWD, '18200', '40');
  expect(answer).toBe('16 HTTP/1.1 401 Unauthorized');
});
