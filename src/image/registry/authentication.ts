import { basicAuthorization } from '../http/credentials.ts';
import { type Challenge, parseChallenges } from './challenge.ts';
import { type TokenOptions, Tokens } from './tokens.ts';

/** How a registry is shown who pulls from a repository: as it asked for the last time, before it asks again. */
export class Authentication {
  readonly #options: TokenOptions;
  readonly #tokens: Tokens;
  readonly #scope: string;
  #challenge: Challenge | undefined;

  constructor(repository: string, options: TokenOptions) {
    this.#options = options;
    this.#tokens = new Tokens(options);
    this.#scope = `repository:${repository}:pull`;
  }

  /** `authorization` of the next request, if it is to have one. A token that is about to end is renewed. @throws ImageError */
  async authorization(): Promise<string | undefined> {
    return this.#challenge && this.#answer(this.#challenge);
  }

  /** The same for another try, after a 401 with these challenges; undefined: nothing is left to try. @throws ImageError */
  async renewed(challenges: string, refused: string | undefined): Promise<string | undefined> {
    const offered = parseChallenges(challenges);
    const challenge = offered.find(({ kind }) => kind === 'bearer') ?? offered[0];
    const answer = challenge && (await this.#answer(challenge, refused));
    if (answer === undefined || answer === refused) return undefined;
    this.#challenge = challenge;
    return answer;
  }

  async #answer(challenge: Challenge, refused?: string): Promise<string | undefined> {
    const { credentials } = this.#options;
    switch (challenge.kind) {
      case 'bearer':
        return this.#tokens.get({ ...challenge, scope: challenge.scope ?? this.#scope }, refused);
      case 'basic':
        // An identity token is for servers of tokens: it is no password.
        return credentials === undefined || 'identityToken' in credentials
          ? undefined
          : basicAuthorization(credentials.user, credentials.password);
      default:
        return challenge satisfies never;
    }
  }
}
