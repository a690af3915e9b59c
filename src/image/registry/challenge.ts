/** How a server wants to be shown who asks. */
export type Challenge = BearerChallenge | { readonly kind: 'basic' };

export interface BearerChallenge {
  readonly kind: 'bearer';
  /** A URL, as the server says it. */
  readonly realm: string;
  readonly service: string | undefined;
  /** Separated by spaces. */
  readonly scope: string | undefined;
}

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const SCHEME = new RegExp(`[\\s,]*(${TOKEN})(?=[\\s,]|$)\\s*`, 'y');
const PARAMETER = new RegExp(
  `[\\s,]*(${TOKEN})\\s*=\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|(${TOKEN}))\\s*(?=,|$)`,
  'ys',
);

/** An unclosed quotation costs its length for each comma in it. */
const LONGEST_HEADER = 8192;

/** Reads `WWW-Authenticate` (RFC 9110, 11.6.1) as far as it can be read; schemes that are not known here are left out. */
export function parseChallenges(header: string): Challenge[] {
  return schemesOf(header).flatMap(({ scheme, parameters }): Challenge[] => {
    const realm = parameters.get('realm');
    if (scheme === 'basic') return [{ kind: 'basic' }];
    if (scheme !== 'bearer' || realm === undefined) return [];
    return [{ kind: 'bearer', realm, service: parameters.get('service'), scope: parameters.get('scope') }];
  });
}

interface Scheme {
  readonly scheme: string;
  /** By lower-case name. */
  readonly parameters: Map<string, string>;
}

function schemesOf(text: string): readonly Scheme[] {
  const header = text.slice(0, LONGEST_HEADER);
  const schemes: Scheme[] = [];
  for (let at = 0; at < header.length; ) {
    const parameter = matchAt(PARAMETER, header, at);
    const found = parameter ?? matchAt(SCHEME, header, at);
    if (found === undefined) {
      // Neither, such as the one long value that Negotiate has: on to what may come next.
      const comma = header.indexOf(',', at);
      if (comma === -1) break;
      at = comma + 1;
      continue;
    }
    const [all, name = '', quoted, bare] = found;
    at += all.length;
    if (parameter === undefined) schemes.push({ scheme: name.toLowerCase(), parameters: new Map() });
    else
      schemes.at(-1)?.parameters.set(name.toLowerCase(), quoted?.replaceAll(/\\(.)/gs, '$1') ?? bare ?? '');
  }
  return schemes;
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text) ?? undefined;
}
