import type { Configuration, Credentials } from '../../config/index.ts';
import { awsHeaders } from './aws-signature.ts';
import type { HttpRequest } from './http.ts';
import { parseHttpUrl } from './url.ts';

/**
 * The headers that show who asks, as the configuration says for the URL's `HOST[:PORT]` and for no other; none for hosts
 * it does not name. A header that is signed (aws) holds for this URL and a few minutes. @throws ImageError bad-reference
 */
export function credentialHeaders(
  { url: text, method = 'GET' }: Pick<HttpRequest, 'url' | 'method'>,
  auth: Configuration['auth'],
  now = new Date(),
): Record<string, string> {
  const url = parseHttpUrl(text);
  const credentials = auth.get(url.host) ?? auth.get(hostWithPort(url));
  return credentials === undefined ? {} : headersOf(credentials, url, method, now);
}

/** RFC 7617. */
export function basicAuthorization(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

function headersOf(
  credentials: Credentials,
  url: URL,
  method: NonNullable<HttpRequest['method']>,
  now: Date,
): Record<string, string> {
  switch (credentials.type) {
    case 'basic':
      return { authorization: basicAuthorization(credentials.user, credentials.password) };
    case 'oauth':
      return { authorization: `Bearer ${credentials.token}` };
    case 'aws':
      return awsHeaders({ method, url }, credentials, now);
    default:
      return credentials satisfies never;
  }
}

/** A URL leaves out the port that its scheme has anyway; a configuration may name it. */
function hostWithPort({ hostname, port, protocol }: URL): string {
  return `${hostname}:${port || (protocol === 'https:' ? 443 : 80)}`;
}
