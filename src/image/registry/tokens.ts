import { fields, integer, type Refuse, string } from '../../appc/json.ts';
import { documentCursor, parseJsonText } from '../../appc/json-document.ts';
import type { ContainerCredentials } from '../../config/index.ts';
import { ImageError } from '../error.ts';
import type { HttpClient } from '../http/http.ts';
import { readText } from '../http/response.ts';
import { showUrl } from '../http/url.ts';
import type { BearerChallenge } from './challenge.ts';
import type { Clock } from './clock.ts';
import { refusalOf } from './refusal.ts';
import { tokenRequest } from './token-request.ts';

interface Token {
  /** As the header has it: `Bearer ...`. */
  readonly authorization: string;
  /** By the clock, in milliseconds. */
  readonly expires: number;
}

export interface TokenOptions {
  readonly client: HttpClient;
  readonly clock: Clock;
  readonly credentials: ContainerCredentials | undefined;
  /** Whether the registry itself is spoken to without TLS: then its login may be sent so as well. */
  readonly plain: boolean;
  readonly signal: AbortSignal | undefined;
}

const LARGEST_ANSWER = 1024 * 1024;
const LIMITS = { characters: LARGEST_ANSWER, depth: 8, values: 1000 };
/** In seconds (distribution's "Token Authentication Specification": so long if nothing is said, and at least). */
const SHORTEST_LIFE = 60;
const LONGEST_LIFE = 24 * 60 * 60;
/** Given up before they end, so that none ends on its way. */
const MARGIN = 5000;

/** Bearer tokens, fetched from whom a challenge names, each once for all who need it until it ends. */
export class Tokens {
  readonly #options: TokenOptions;
  readonly #tokens = new Map<string, Promise<Token>>();

  constructor(options: TokenOptions) {
    this.#options = options;
  }

  /** Gives the value of the header. `refused` is one that the server has not taken. @throws ImageError */
  async get(challenge: BearerChallenge, refused?: string): Promise<string> {
    const key = JSON.stringify([challenge.realm, challenge.service, challenge.scope]);
    const known = this.#tokens.get(key);
    if (known !== undefined) {
      const { authorization, expires } = await known;
      if (authorization !== refused && expires > this.#options.clock.now()) return authorization;
    }
    const newer = this.#tokens.get(key);
    if (newer !== undefined && newer !== known) return (await newer).authorization;
    const fetched = this.#fetch(challenge);
    this.#tokens.set(key, fetched);
    try {
      return (await fetched).authorization;
    } catch (error) {
      this.#tokens.delete(key);
      throw error;
    }
  }

  async #fetch(challenge: BearerChallenge): Promise<Token> {
    const { client, clock, credentials, signal } = this.#options;
    const { url, refused, ...request } = tokenRequest(challenge, credentials);
    const what = `token from ${showUrl(url)}`;
    if (credentials !== undefined && url.protocol === 'http:' && !this.#options.plain)
      throw new ImageError('insecure', `${what}: the login is not sent over plain http`);
    const asked = clock.now();
    const response = await client.send({ ...request, url: url.href, signal });
    if (response.status !== 200) throw await refusalOf(response, what, { now: asked, words: refused });
    return readToken(await readText(response, LARGEST_ANSWER, what), what, asked);
  }
}

function readToken(text: string, what: string, asked: number): Token {
  // What does not parse may be a token all the same: it is not shown.
  const refuse: Refuse = (_code, path) =>
    new ImageError('bad-answer', `${what}: its answer is not understood${path === '' ? '' : ` at ${path}`}`);
  const answer = fields(documentCursor(parseJsonText(text, refuse, LIMITS), refuse, LIMITS));
  const value = answer.optional('token', string) || answer.optional('access_token', string);
  // It becomes part of a header.
  if (value === undefined || !/^[\x21-\x7e]+$/.test(value))
    throw new ImageError('bad-answer', `${what}: there is none in the answer`);
  const said = answer.optional('expires_in', integer(0, Number.MAX_SAFE_INTEGER)) ?? SHORTEST_LIFE;
  const life = Math.min(Math.max(said, SHORTEST_LIFE), LONGEST_LIFE);
  return { authorization: `Bearer ${value}`, expires: asked + life * 1000 - MARGIN };
}
