import { type Authentication, authenticationFor } from '../authentication.ts';
import { ImageError } from '../error.ts';
import type { ImageEvent } from '../event.ts';
import type { HttpClient } from '../http/http.ts';
import { readBytes } from '../http/response.ts';
import { showUrl } from '../http/url.ts';

export interface DiscoveryOptions {
  /** `--insecure-options=http`: ask by plain http where https gives no page, and take addresses of plain http. */
  readonly insecureHttp: boolean;
  readonly credentials?: Authentication | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly report?: ((event: ImageEvent) => void) | undefined;
}

const LARGEST_PAGE = 1024 * 1024;
const OK = 200;

/** The page at a discovery URL, which is asked for as appc says (0.8.11, discovery.md). @throws ImageError */
export async function readPage(client: HttpClient, url: string, options: DiscoveryOptions): Promise<string> {
  const { credentials, signal } = options;
  const response = await client.send({ url, headers: authenticationFor(url, credentials), signal });
  const place = showUrl(new URL(response.url));
  const refusal = refusalOf(response, options);
  if (refusal !== undefined) {
    await response.discard();
    throw new ImageError(refusal.code, `${place}: ${refusal.reason}`);
  }
  // Nothing of interest is outside of ASCII, so that a page in another encoding does as well.
  return new TextDecoder().decode(await readBytes(response, LARGEST_PAGE, `page ${place}`));
}

// The client may be allowed more than this discovery is: keys to be trusted come by https alone.
function refusalOf(
  { status, url }: { readonly status: number; readonly url: string },
  options: DiscoveryOptions,
) {
  if (status !== OK) return { code: 'bad-answer', reason: `expected a 200 OK got ${status}` } as const;
  if (url.startsWith('https:') || options.insecureHttp) return undefined;
  return {
    code: 'insecure',
    reason: 'plain http is not allowed, but that is where it redirects to',
  } as const;
}
