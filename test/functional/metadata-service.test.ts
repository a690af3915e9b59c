import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunningCommand } from '../support/command.ts';
import { FLAVOURS } from '../support/flavours.ts';
import { tinyImages } from '../support/images.ts';
import { type SitePod, useSite } from '../support/network-site.ts';
import { eventually } from '../support/polling.ts';

const site = useSite();
const SLEEP = ['--exec=/bin/sh', '--', '-c', 'trap exit TERM; while sleep 1; do :; done'];
const NOBODY = '0'.repeat(32);

let aci = '';
let service: RunningCommand;
beforeAll(async () => {
  aci = (await tinyImages()).aci.plain;
  service = await startService('--listen-port=18112');
});

afterAll(async () => {
  service.signal('SIGTERM');
  expect((await service.finished).code).toBe(0);
});

async function startService(...flags: readonly string[]): Promise<RunningCommand> {
  const started = site.now.rkt.start(['metadata-service', ...flags, '--debug'], { timeoutSeconds: 1200 });
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
    expect(await urlOf(pod)).toMatch(/^http:\/\/172\.16\.28\.1:18112\/[0-9a-f]{32}$/);
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
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ token, port: 18112 });
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
});
