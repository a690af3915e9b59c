import type { ContainerCredentials } from '../../config/index.ts';
import { ImageError } from '../error.ts';
import { basicAuthorization } from '../http/credentials.ts';
import type { HttpRequest } from '../http/http.ts';
import { parseHttpUrl } from '../http/url.ts';
import type { BearerChallenge } from './challenge.ts';

export interface TokenRequest extends Omit<HttpRequest, 'url' | 'signal'> {
  readonly url: URL;
  /** What it means if the server does not accept it. */
  readonly refused: string;
}

/** Servers of tokens may show it to the user of an identity token. */
const CLIENT = 'rkt';

/**
 * How a registry's token is asked for: by GET, with a login or without (distribution's "Token Authentication Specification"), or,
 * where an identity token says who asks, by POST (its "OAuth2 Token Authentication"). @throws ImageError bad-answer
 */
export function tokenRequest(
  challenge: BearerChallenge,
  credentials: ContainerCredentials | undefined,
): TokenRequest {
  if (credentials === undefined) return { url: queryURL(challenge), refused: 'a login is required' };
  if ('identityToken' in credentials) return exchange(challenge, credentials.identityToken);
  const { user, password } = credentials;
  const url = queryURL(challenge);
  url.searchParams.append('account', user);
  const headers = { authorization: basicAuthorization(user, password) };
  return { url, headers, refused: 'user or password are not accepted' };
}

/** An identity token lives for long and opens all that its user may open: it goes into the body, which nobody logs. */
function exchange({ realm, service, scope }: BearerChallenge, identityToken: string): TokenRequest {
  const form = new URLSearchParams({
    grant_type: 'refresh_token',
    client_id: CLIENT,
    refresh_token: identityToken,
    ...(service === undefined ? {} : { service }),
    ...(scope === undefined ? {} : { scope }),
  });
  return {
    method: 'POST',
    url: realmURL(realm),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: `${form}`,
    refused: 'the identity token is not accepted',
  };
}

function queryURL({ realm, service, scope }: BearerChallenge): URL {
  const url = realmURL(realm);
  if (service !== undefined) url.searchParams.append('service', service);
  for (const part of scope?.split(' ') ?? []) url.searchParams.append('scope', part);
  return url;
}

function realmURL(realm: string): URL {
  try {
    return parseHttpUrl(realm);
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : String(cause);
    throw new ImageError('bad-answer', `cannot get a token where the registry says: ${problem}`, { cause });
  }
}
