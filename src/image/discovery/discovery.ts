import type { ACIdentifier, ImageName } from '../../appc/index.ts';
import { quote } from '../../appc/json.ts';
import { ImageError } from '../error.ts';
import type { HttpClient } from '../http/http.ts';
import { parseHttpUrl, showUrl } from '../http/url.ts';
import { type DiscoveryTagName, discoveryTags } from './discovery-tags.ts';
import type { DiscoveryOptions } from './page.ts';
import { type AciEndpoint, renderTemplate } from './template.ts';
import { type AtLeastOne, type Findings, walk } from './walk.ts';

const LONGEST_URL = 8192;

/**
 * Where the image of a name may be fetched, the best place first (appc 0.8.11, discovery.md). A version that is not asked for is
 * `latest`, an operating system and architecture that are not are the host's. @throws ImageError discovery
 */
export function discoverImage(
  client: HttpClient,
  image: ImageName,
  options: DiscoveryOptions,
): Promise<AtLeastOne<AciEndpoint>> {
  return walk(client, image.name, options, (html) =>
    gather(html, 'ac-discovery', image.name, (template) => {
      const { aci, signature } = renderTemplate(template, image);
      return { aci: webUrl(aci, options), signature: webUrl(signature, options) };
    }),
  );
}

/**
 * Where the public keys are that sign images of a name or of all names below it. Who finds them has not trusted them yet.
 * @throws ImageError discovery
 */
export function discoverPublicKeys(
  client: HttpClient,
  prefix: ACIdentifier,
  options: DiscoveryOptions,
): Promise<AtLeastOne<string>> {
  return walk(client, prefix, options, (html) =>
    gather(html, 'ac-discovery-pubkeys', prefix, (url) => webUrl(url, options)),
  );
}

/** What can be made of a page's tags, each on its own: one that nothing can be made of does not spoil the others. */
function gather<T>(
  html: string,
  tagName: DiscoveryTagName,
  name: ACIdentifier,
  read: (value: string) => T,
): Findings<T> {
  const values = discoveryTags(html, tagName, name);
  const found: T[] = [];
  const problems = values.length === 0 ? [`no meta tag '${tagName}' for ${quote(name)}`] : [];
  for (const value of values) {
    try {
      found.push(read(value));
    } catch (error) {
      if (!(error instanceof ImageError)) throw error;
      problems.push(error.message);
    }
  }
  return { found, problems };
}

function webUrl(text: string, { insecureHttp }: DiscoveryOptions): string {
  if (text.length > LONGEST_URL)
    throw new ImageError('too-large', `URL ${quote(text)} is longer than ${LONGEST_URL} characters`);
  const url = parseHttpUrl(text);
  if (url.protocol === 'http:' && !insecureHttp)
    throw new ImageError('insecure', `plain http is not allowed: ${showUrl(url)}`);
  url.hash = '';
  return url.href;
}
