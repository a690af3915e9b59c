import { ImageError } from '../error.ts';

/**
 * An absolute URL of http or https, or a relative one against `base`. One with a user name or password is refused: URLs get
 * into logs and into error messages. @throws ImageError bad-reference
 */
export function parseHttpUrl(text: string, base?: URL): URL {
  if (!URL.canParse(text, base?.href))
    throw new ImageError('bad-reference', `not a URL: ${withoutSecrets(text)}`);
  const url = new URL(text, base);
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw new ImageError('bad-reference', `URL ${showUrl(url)} is neither https nor http`);
  if (url.username !== '' || url.password !== '')
    throw new ImageError('bad-reference', `URL ${showUrl(url)} has a user name or password in it`);
  return url;
}

/** As it may stand in a message: neither user and password nor the query, where object stores have their signatures. */
export function showUrl(url: URL): string {
  const origin = url.host === '' ? url.protocol : `${url.protocol}//${url.host}`;
  return `${origin}${url.pathname}${url.search === '' ? '' : '?...'}`;
}

// What does not parse may have a password all the same.
function withoutSecrets(text: string): string {
  return JSON.stringify(
    text
      .slice(0, 200)
      .replace(/^([^/]*\/\/)?[^/]*@/, '$1...@')
      .replace(/[?#].*$/s, ''),
  );
}
