import { ImageError } from '../../src/image/error.ts';
import type { HttpClient, HttpRequest, HttpResponse } from '../../src/image/http/http.ts';

export interface ScriptedAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | readonly Uint8Array[];
  /** Where redirects led to. */
  readonly url?: string;
}

/** Answers by a script instead of a network; what the script has no answer to does not answer. */
export class ScriptedClient implements HttpClient {
  readonly requests: HttpRequest[] = [];
  /** Answers whose body was neither read nor discarded: their connections would stay busy. */
  open = 0;
  readonly #script: (request: HttpRequest) => ScriptedAnswer | undefined;

  constructor(script: (request: HttpRequest) => ScriptedAnswer | undefined) {
    this.#script = script;
  }

  /** Every request as `URL`, or with one of its headers behind it. */
  asked(header?: string): string[] {
    return this.requests.map(({ url, headers }) =>
      header === undefined ? url : `${url} ${headers?.[header] ?? '-'}`,
    );
  }

  async send(request: HttpRequest): Promise<HttpResponse> {
    request.signal?.throwIfAborted();
    this.requests.push(request);
    const answer = this.#script(request);
    if (answer === undefined) throw new ImageError('network', `cannot fetch ${request.url}: no such host`);
    this.open += 1;
    let isOpen = true;
    const close = () => {
      if (isOpen) this.open -= 1;
      isOpen = false;
    };
    return {
      status: answer.status ?? 200,
      url: answer.url ?? request.url,
      headers: answer.headers ?? {},
      body: pieces(answer.body ?? '', close),
      discard: async () => close(),
    };
  }

  async close(): Promise<void> {}
}

async function* pieces(
  body: NonNullable<ScriptedAnswer['body']>,
  close: () => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    if (typeof body === 'string') yield Buffer.from(body);
    else if (body instanceof Uint8Array) yield body;
    else yield* body;
  } finally {
    close();
  }
}
