import { createHash, createHmac } from 'node:crypto';

export interface AwsKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Guessed from the host if it is not said. */
  readonly region?: string;
}

export interface SignedRequest {
  readonly method: string;
  readonly url: URL;
  /** Further headers to sign, by lower-case name. */
  readonly headers?: Readonly<Record<string, string>>;
}

const ALGORITHM = 'AWS4-HMAC-SHA256';
const SERVICE = 's3';
const DEFAULT_REGION = 'us-east-1';
/** The SHA-256 of nothing. */
const EMPTY_BODY = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

/**
 * The headers that sign a request without a body to S3 or what speaks like it: AWS Signature Version 4, in the form for S3,
 * where paths are encoded once.
 */
export function awsHeaders(request: SignedRequest, key: AwsKey, now: Date): Record<string, string> {
  const time = now.toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const added = { 'x-amz-content-sha256': EMPTY_BODY, 'x-amz-date': time };
  const headers = { ...request.headers, host: request.url.host, ...added };
  const names = Object.keys(headers).sort();
  const canonical = canonicalRequest(request, headers, names);
  const day = time.slice(0, 8);
  const region = key.region ?? awsRegionOf(request.url.hostname);
  const scope = [day, region, SERVICE, 'aws4_request'];
  const signingKey = scope.reduce<string | Buffer>(hmac, `AWS4${key.secretAccessKey}`);
  const signature = hmac(signingKey, [ALGORITHM, time, scope.join('/'), sha256(canonical)].join('\n'));
  const credential = `Credential=${key.accessKeyId}/${scope.join('/')}`;
  return {
    ...added,
    authorization: `${ALGORITHM} ${credential},SignedHeaders=${names.join(';')},Signature=${signature.toString('hex')}`,
  };
}

/** As its hosts are named: `s3.REGION`, `s3-REGION`, `BUCKET.s3.REGION` or `s3.dualstack.REGION`, before `.amazonaws.com[.cn]`. */
export function awsRegionOf(hostname: string): string {
  const host = /^(?:.+\.)?s3(?:\.dualstack\.|[.-])([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?$/.exec(hostname);
  const [, region = DEFAULT_REGION] = host ?? [];
  return region === 'external-1' ? DEFAULT_REGION : region;
}

function canonicalRequest(
  { method, url }: SignedRequest,
  headers: Readonly<Record<string, string>>,
  names: readonly string[],
): string {
  const path = url.pathname.split('/').map((segment) => encode(decoded(segment)));
  const query = [...url.searchParams]
    .map(([name, value]) => [encode(name), encode(value)] as const)
    .sort(([name, value], [otherName, otherValue]) => order(name, otherName) || order(value, otherValue))
    .map((pair) => pair.join('='))
    .join('&');
  const lines = names.map((name) => `${name}:${headers[name]?.trim().replaceAll(/ +/g, ' ')}\n`);
  return [method, path.join('/'), query, lines.join(''), names.join(';'), EMPTY_BODY].join('\n');
}

function order(one: string, other: string): number {
  return one < other ? -1 : Number(one > other);
}

// A lone percent sign is itself.
function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** Everything but the unreserved characters of RFC 3986, of which encodeURIComponent leaves out five. */
function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(/[!'()*]/g, (character) => {
    return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
  });
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
