/** Gives the headers that authenticate a request to an absolute URL; none where nothing is known of its host. */
export type Authentication = (url: string) => Readonly<Record<string, string>>;

/** As rkt: credentials are sent over https only, also where plain http is allowed. */
export function authenticationFor(
  url: string,
  credentials: Authentication | undefined,
): Readonly<Record<string, string>> {
  return credentials !== undefined && url.startsWith('https:') ? credentials(url) : {};
}
