import type { ServerResponse } from 'node:http';
import type { Answer, SeenRequest } from './scripted-server.ts';

/** What keeps a connection from bringing all of a file. `after`: bytes that come before. */
export interface Fault {
  readonly kind: 'break' | 'stall';
  readonly after: number;
}

export const breakAfter = (after: number): Fault => ({ kind: 'break', after });
export const stallAfter = (after: number): Fault => ({ kind: 'stall', after });

/** A file as a server has it. */
export interface SiteFile {
  readonly content: string | Uint8Array;
  /** With its quotes. A server that sends none knows neither conditions nor ranges. */
  readonly etag?: string;
  readonly cacheControl?: string;
  /** Of the next connections; those after them bring all. */
  readonly faults?: Fault[];
  /** The header without which the answer is 401. */
  readonly authorization?: string;
}

/**
 * What a server of images has, by path: files, as any file server gives them (RFC 9110: ranges, conditions), and whatever else a test
 * writes by hand. It may be changed while the server runs.
 */
export class ImageSite {
  readonly #contents = new Map<string, SiteFile | Answer>();
  /** `GET /path 200` of each request so far; what was asked for of a part comes after it. */
  readonly log: string[] = [];

  /** Paths are without the query. */
  put(path: string, content: SiteFile | Answer | string | Uint8Array): void {
    const isBare = typeof content === 'string' || content instanceof Uint8Array;
    this.#contents.set(path, isBare ? { content } : content);
  }

  remove(path: string): void {
    this.#contents.delete(path);
  }

  /** Has nothing any more, and was asked for nothing. */
  clear(): void {
    this.#contents.clear();
    this.log.length = 0;
  }

  readonly answer: Answer = (request, response) => {
    const content = this.#contents.get(new URL(request.path, 'http://site').pathname);
    if (content === undefined) response.writeHead(404).end();
    else if (typeof content === 'function') content(request, response);
    else giveFile(content, request, response);
    const { range, 'if-range': version } = request.headers;
    const part = range === undefined ? '' : ` ${range}${version === undefined ? '' : ` if ${version}`}`;
    this.log.push(`${request.method} ${request.path} ${response.statusCode}${part}`);
  };
}

/** A redirect. */
export function movedTo(location: string, status = 302): Answer {
  return (_request, response) => response.writeHead(status, { location }).end();
}

/** A page with these `<meta>` tags: name and content. */
export function metaPage(...tags: ReadonlyArray<readonly [name: string, content: string]>): string {
  const lines = tags.map(([name, content]) => `<meta name="${name}" content="${content}">`);
  return `<!DOCTYPE html>\n<html><head>\n${lines.join('\n')}\n</head></html>\n`;
}

function giveFile(file: SiteFile, { headers }: SeenRequest, response: ServerResponse): void {
  const { etag, cacheControl, authorization } = file;
  if (authorization !== undefined && headers.authorization !== authorization) {
    response.writeHead(401).end();
    return;
  }
  const common = {
    ...(etag === undefined ? {} : { etag }),
    ...(cacheControl === undefined ? {} : { 'cache-control': cacheControl }),
  };
  if (etag !== undefined && headers['if-none-match'] === etag) response.writeHead(304, common).end();
  else giveBytes(file, beginOf(file, headers), common, response);
}

/** Where the answer begins: undefined, as a whole. */
function beginOf({ etag }: SiteFile, headers: SeenRequest['headers']): number | undefined {
  const begin = /^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1];
  const isSame = etag !== undefined && (headers['if-range'] ?? etag) === etag;
  return begin !== undefined && isSame ? Number(begin) : undefined;
}

function giveBytes(
  { content, faults }: SiteFile,
  begin: number | undefined,
  common: Readonly<Record<string, string>>,
  response: ServerResponse,
): void {
  const all = Buffer.from(content);
  if (begin !== undefined && begin >= all.length) {
    response.writeHead(416, { ...common, 'content-range': `bytes */${all.length}` }).end();
    return;
  }
  const bytes = all.subarray(begin ?? 0);
  const range =
    begin === undefined ? {} : { 'content-range': `bytes ${begin}-${all.length - 1}/${all.length}` };
  const length = { 'content-length': `${bytes.length}` };
  response.writeHead(begin === undefined ? 200 : 206, { ...common, ...length, ...range });
  const fault = faults?.shift();
  if (fault === undefined) response.end(bytes);
  // What stalls is open until its client gives up, or the server is closed.
  else
    response.write(bytes.subarray(0, fault.after), () => {
      if (fault.kind === 'break') response.destroy();
    });
}
