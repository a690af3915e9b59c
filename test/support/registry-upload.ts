import { readFileSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { TestSupportError } from './error.ts';
import type { LayoutWriter, Written } from './layout-writer.ts';
import type { TestRegistry } from './registry.ts';

/**
 * Puts what lies behind a manifest or index of a layout into a registry, byte for byte and whatever it is: skopeo would refuse an index
 * in an index, and write some of what it copies anew. `name` is `REPOSITORY:TAG`.
 */
export async function upload(
  registry: TestRegistry,
  layout: LayoutWriter,
  root: Written,
  name: string,
): Promise<void> {
  const [repository = '', tag = ''] = name.split(':');
  await uploadAs(registry, layout, root, `/v2/${repository}`, tag);
}

async function uploadAs(
  registry: TestRegistry,
  layout: LayoutWriter,
  root: Written,
  base: string,
  reference: string,
): Promise<void> {
  const { manifests = [], config, layers = [] } = parseLinks(layout.read(root));
  for (const below of manifests) await uploadAs(registry, layout, below, base, below.digest);
  for (const blob of config === undefined ? layers : [config, ...layers]) {
    const { headers } = await send(registry, 'POST', `${base}/blobs/uploads/`);
    const { pathname, search } = new URL(headers.location ?? '', `http://${registry.address}`);
    await send(registry, 'PUT', `${pathname}${search}&digest=${blob.digest}`, layout.read(blob));
  }
  await send(registry, 'PUT', `${base}/manifests/${reference}`, layout.read(root), root.mediaType);
}

function send(
  { address, caPath, login }: TestRegistry,
  method: string,
  path: string,
  body: string | Buffer = '',
  type = 'application/octet-stream',
): Promise<IncomingMessage> {
  const [hostname, port] = address.split(':');
  const auth = login === undefined ? {} : { auth: `${login.user}:${login.password}` };
  const headers = { 'content-type': type, 'content-length': Buffer.byteLength(body) };
  const options = { hostname, port, method, path, headers, ...auth };
  return new Promise((resolve, reject) => {
    const request =
      caPath === undefined
        ? httpRequest(options)
        : httpsRequest({ ...options, ca: readFileSync(caPath), agent: false });
    request.once('error', reject);
    request.once('response', (response) => {
      response.resume();
      const { statusCode: status = 0 } = response;
      if (status >= 200 && status < 300) resolve(response);
      else reject(new TestSupportError('FIXTURE_FAILED', `${method} ${path}: status ${status}`));
    });
    request.end(body);
  });
}

interface Links {
  readonly manifests?: readonly Written[];
  readonly config?: Written;
  readonly layers?: readonly Written[];
}

function parseLinks(text: Buffer): Links {
  const links: unknown = JSON.parse(text.toString());
  return links as Links;
}
