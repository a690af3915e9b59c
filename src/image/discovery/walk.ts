import type { ACIdentifier } from '../../appc/index.ts';
import { ImageError, type ImageErrorCode } from '../error.ts';
import type { HttpClient } from '../http/http.ts';
import { type DiscoveryOptions, readPage } from './page.ts';

export type AtLeastOne<T> = readonly [T, ...T[]];

/** What one page has of what is looked for. */
export interface Findings<T> {
  readonly found: readonly T[];
  /** Why there is no more, for an error message. */
  readonly problems: readonly string[];
}

// The names of dependencies are strangers': each element is a request, and each may take its time.
const MOST_ELEMENTS = 16;
const MOST_PROBLEMS = 3;

/** What is wrong with one page only, so that the next is worth asking. */
const MISSES: ReadonlySet<ImageErrorCode> = new Set([
  ...(['network', 'insecure', 'bad-answer', 'bad-reference', 'too-large'] as const),
]);

/**
 * Looks at the page of a name, then at those of its parents up to the host, and returns what the first has that has anything. Each is
 * asked for by https, and by http only if there is no page and it is allowed. @throws ImageError discovery
 */
export async function walk<T>(
  client: HttpClient,
  name: ACIdentifier,
  options: DiscoveryOptions,
  search: (html: string) => Findings<T>,
): Promise<AtLeastOne<T>> {
  const misses = new Misses(name, options);
  for (const prefix of prefixes(name)) {
    const page = await firstPage(client, prefix, options, misses);
    if (page === undefined) continue;
    const { found, problems } = search(page.html);
    const [first, ...others] = found;
    if (first !== undefined) return [first, ...others];
    misses.note(`${page.scheme}://${prefix}: ${problems.slice(0, MOST_PROBLEMS).join(', ')}`);
  }
  throw misses.error();
}

/** `a/b/c`, `a/b`, `a`. */
function prefixes(name: ACIdentifier): string[] {
  const elements = name.split('/');
  if (elements.length > MOST_ELEMENTS) throw failed(name, `its path has more than ${MOST_ELEMENTS} elements`);
  return elements.map((_, index) => elements.slice(0, elements.length - index).join('/'));
}

async function firstPage(
  client: HttpClient,
  prefix: string,
  options: DiscoveryOptions,
  misses: Misses,
): Promise<{ readonly scheme: string; readonly html: string } | undefined> {
  for (const scheme of options.insecureHttp ? ['https', 'http'] : ['https']) {
    try {
      return { scheme, html: await readPage(client, `${scheme}://${prefix}?ac-discovery=1`, options) };
    } catch (error) {
      if (!(error instanceof ImageError && MISSES.has(error.code))) throw error;
      misses.note(error.message, error);
    }
  }
  return undefined;
}

/** What was tried and why it failed, in one line if all of it does. */
class Misses {
  readonly #name: ACIdentifier;
  readonly #report: DiscoveryOptions['report'];
  readonly #reasons: string[] = [];
  readonly #causes: unknown[] = [];

  constructor(name: ACIdentifier, { report }: DiscoveryOptions) {
    this.#name = name;
    this.#report = report;
  }

  note(reason: string, cause?: unknown): void {
    this.#reasons.push(reason);
    if (cause !== undefined) this.#causes.push(cause);
    this.#report?.({ kind: 'discovery-miss', reason });
  }

  error(): ImageError {
    const [cause] = this.#causes;
    return failed(this.#name, this.#reasons.join('; '), cause === undefined ? undefined : { cause });
  }
}

function failed(name: ACIdentifier, problem: string, options?: ErrorOptions): ImageError {
  return new ImageError('discovery', `discovery failed for "${name}": ${problem}`, options);
}
