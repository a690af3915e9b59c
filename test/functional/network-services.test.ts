import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { writeFileImage } from '../support/file-image.ts';
import { tinyImages } from '../support/images.ts';
import { type SitePod, useSite } from '../support/network-site.ts';
import { eventually } from '../support/polling.ts';
import { tool } from '../support/tool.ts';

// A registry and a web server, each in a pod of its own on the default network, serve each other by the names of their pods.

const site = useSite();
const PAGE = 'a page of the web server\n';
const INSECURE = 'image,http';
let [web, registry]: (SitePod | undefined)[] = [];
beforeAll(async () => {
  const { rkt } = site.now;
  const image = (name: string, files: string, ...exec: readonly string[]) =>
    writeFileImage(rkt.path(`${name}.aci`), { name, files, exec });
  const httpd = ['/bin/httpd', '-f', '-p', '80', '-h', '/files'];
  const served = ['--library-path', '/files', '/files/docker-registry', 'serve', '/files/config.yml'];
  const images = await Promise.all([
    image('web', pageDirectory(rkt.path('www')), ...httpd),
    image('registry', await registryDirectory(rkt.path('registry')), '/files/loader', ...served),
  ]);
  [web, registry] = await Promise.all([
    site.now.run('--net=default', '--pod-name=web', images[0]),
    site.now.run('--pod-name=registry', images[1], '--memory=512M'),
  ]);
});

test('both are on the default network', async () => {
  const networks = (await site.now.rkt.list()).map((pod) => pod.networks?.map(({ netName }) => netName));
  expect(networks).toEqual([['default'], ['default']]);
});

test('the registry takes an image from the host, which rkt fetches from there', async () => {
  const { host, rkt } = site.now;
  const address = `${await addressOf(registry)}:5000`;
  const layout = `oci:${(await tinyImages()).ociLayout}:latest`;
  const copy = ['skopeo', '--insecure-policy', 'copy', '-q', '--dest-tls-verify=false'];
  await eventually('the registry takes it', async () => {
    const { exitCode } = await host.try([...copy, layout, `docker://${address}/tiny:1`]);
    return exitCode === 0;
  });
  const fetched = await rkt.output(['fetch', `docker://${address}/tiny:1`], { insecure: INSECURE });
  expect(fetched).toMatch(/^sha256-[0-9a-f]{32}\n$/);
});

test('the web server’s pod reads from the registry, and the registry’s from the web server, by name', async () => {
  const manifest = await eventually('the registry answers by its name', () =>
    said(
      web,
      "wget -q -O- --header='Accept: application/vnd.oci.image.manifest.v1+json' http://registry:5000/v2/tiny/manifests/1",
    ),
  );
  expect(JSON.parse(manifest)).toMatchObject({ schemaVersion: 2 });
  const page = await eventually('the web server answers by its name', () =>
    said(registry, 'wget -q -O- http://web/'),
  );
  expect(page).toBe(PAGE);
});

/** What a command in a pod prints, if it succeeds. */
async function said(pod: SitePod | undefined, script: string): Promise<string | undefined> {
  const { code, stdout } = await site.now.rkt.run(['enter', pod?.uuid ?? '', '/bin/sh', '-c', script]);
  return code === 0 ? stdout : undefined;
}

async function addressOf(pod: SitePod | undefined): Promise<string> {
  const listed = (await site.now.rkt.list()).find(({ name }) => name === pod?.uuid);
  return listed?.networks?.[0]?.ip ?? 'none';
}

function pageDirectory(directory: string): string {
  mkdirSync(directory);
  writeFileSync(join(directory, 'index.html'), PAGE);
  return directory;
}

/** Debian's docker-registry, with what it is linked to, for a root that has none of it. */
async function registryDirectory(directory: string): Promise<string> {
  mkdirSync(directory);
  await tool('docker-registry', ['--version']);
  const program = '/usr/bin/docker-registry';
  copyFileSync(program, join(directory, 'docker-registry'));
  for (const [, path = ''] of (await tool('ldd', [program])).matchAll(/(\/\S+) \(0x/g))
    copyFileSync(path, join(directory, path.includes('ld-linux') ? 'loader' : basename(path)));
  const config = { version: '0.1', storage: { inmemory: {} }, http: { addr: ':5000' } };
  // JSON is YAML.
  writeFileSync(join(directory, 'config.yml'), JSON.stringify(config));
  return directory;
}
