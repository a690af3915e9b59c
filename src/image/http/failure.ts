import { ImageError, type ImageErrorCode } from '../error.ts';
import { showUrl } from './url.ts';

interface Failure {
  readonly code: ImageErrorCode;
  readonly words: string;
}

const network = (words: string): Failure => ({ code: 'network', words });
const badAnswer = (words: string): Failure => ({ code: 'bad-answer', words });
const certificate = (words: string): Failure => ({
  code: 'insecure',
  words: `the certificate ${words} (--insecure-options=tls takes any)`,
});
const UNKNOWN_AUTHORITY = certificate('is not signed by an authority that is trusted here');

/** By the `code` of an error of Node, OpenSSL or undici. */
const FAILURES: Readonly<Record<string, Failure>> = {
  ENOTFOUND: network('no such host'),
  EAI_AGAIN: network('its name could not be looked up'),
  ECONNREFUSED: network('connection refused'),
  ECONNRESET: network('the connection broke off'),
  EPIPE: network('the connection broke off'),
  UND_ERR_SOCKET: network('the connection broke off'),
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: network('the connection broke off'),
  EHOSTUNREACH: network('no route to the host'),
  ENETUNREACH: network('the network is unreachable'),
  ETIMEDOUT: network('no connection in time'),
  UND_ERR_CONNECT_TIMEOUT: network('no connection in time'),
  UND_ERR_HEADERS_TIMEOUT: network('no answer in time'),
  UND_ERR_BODY_TIMEOUT: network('nothing more came in time'),
  UND_ERR_HEADERS_OVERFLOW: badAnswer('the headers of its answer are too large'),
  CERT_HAS_EXPIRED: certificate('has expired'),
  CERT_NOT_YET_VALID: certificate('is not valid yet'),
  CERT_REVOKED: certificate('has been revoked'),
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_AUTHORITY,
  DEPTH_ZERO_SELF_SIGNED_CERT: certificate('is signed by itself, not by an authority'),
  UNABLE_TO_GET_ISSUER_CERT: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_AUTHORITY,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_AUTHORITY,
  ERR_SSL_WRONG_VERSION_NUMBER: {
    code: 'insecure',
    words: 'it does not speak TLS (--insecure-options=http allows plain http)',
  },
};

/** What kept an answer, or the rest of one, from coming. An abort stays what it was. */
export function failureOf(error: unknown, url: URL, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted === true) return signal.reason;
  if (error instanceof ImageError) return error;
  const { code, words } = describe(error);
  return new ImageError(code, `cannot fetch ${showUrl(url)}: ${words}`, { cause: error });
}

function describe(error: unknown): Failure {
  // One of each address that was tried.
  if (error instanceof AggregateError && error.errors.length > 0) return describe(error.errors[0]);
  if (!(error instanceof Error)) return network(String(error));
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const known = Object.hasOwn(FAILURES, code) ? FAILURES[code] : undefined;
  if (known !== undefined) return known;
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return certificate(`is for ${namesOf(error)}, not for this host`);
  const [, proxyStatus] = /^Proxy .*\((\d{3})\)/.exec(error.message) ?? [];
  if (proxyStatus !== undefined) return badAnswer(`the proxy answered with status ${proxyStatus}`);
  // What OpenSSL refuses in a certificate has no prefix of its own; these are the exceptions among its codes.
  if (/CERT|^INVALID_PURPOSE$|^PATH_LENGTH_EXCEEDED$/.test(code))
    return certificate(`cannot be verified: ${error.message}`);
  if (code.startsWith('ERR_SSL_')) return badAnswer(`TLS failed: ${reasonOf(error)}`);
  if (code.startsWith('HPE_')) return badAnswer(`its answer is not HTTP: ${error.message}`);
  return network(error.message);
}

/** Without the file names and numbers that OpenSSL puts around it. */
function reasonOf(error: Error): string {
  return 'reason' in error && typeof error.reason === 'string' ? error.reason : error.message;
}

/** Of the certificate that an error is about: `DNS:a.example, IP Address:10.0.0.1`. */
function namesOf(error: Error): string {
  const certificate = 'cert' in error ? error.cert : undefined;
  if (typeof certificate !== 'object' || certificate === null || !('subjectaltname' in certificate))
    return 'other names';
  return String(certificate.subjectaltname).slice(0, 200);
}
