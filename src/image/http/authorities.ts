import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { GivenFileError, readGivenBytes } from '../../os/given-file.ts';
import { isSystemError } from '../../os/syscall.ts';
import { ImageError } from '../error.ts';
import type { Environment } from './proxy.ts';

/** Where distributions keep the authorities that their operators trust. */
const BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
];
/** In bytes: those of distributions have some hundred thousand. */
const LARGEST_BUNDLE = 16 * 1024 * 1024;
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;

/**
 * Whom to trust: the system's list, to which operators add their company's authority and from which they take whom they do not trust;
 * Node's own where there is none. SSL_CERT_FILE and SSL_CERT_DIR name other places, as they did for rkt: who names one that has nobody
 * trusts nobody. NODE_EXTRA_CA_CERTS names a further file. Certificates, in PEM. @throws ImageError system
 */
export function trustedAuthorities(environment: Environment): string[] {
  const { NODE_EXTRA_CA_CERTS: extra, SSL_CERT_FILE: file, SSL_CERT_DIR: directories } = environment;
  const own = certificatesIn(systemTexts(environment));
  const further = certificatesIn(extra ? [named(extra, 'NODE_EXTRA_CA_CERTS')] : []);
  const isNamed = Boolean(file || directories);
  const all = [...(own.length > 0 || isNamed ? own : rootCertificates), ...further];
  // Some are there twice, in a file and in its directory, and each costs its parsing.
  return [...new Set(all)];
}

function systemTexts({ SSL_CERT_FILE: file, SSL_CERT_DIR: directories }: Environment): string[] {
  return [
    ...(file ? [named(file, 'SSL_CERT_FILE')] : BUNDLES.flatMap(ifThere).slice(0, 1)),
    ...(directories ? directories.split(':').flatMap((directory) => textsIn(directory)) : []),
  ];
}

function certificatesIn(texts: readonly string[]): string[] {
  return texts.flatMap((text) => text.match(CERTIFICATE) ?? []);
}

// Go passes over a file that is not there, and its user looks for the reason why a certificate is not trusted.
function named(path: string, variable: string): string {
  try {
    return textOf(path);
  } catch (cause) {
    throw new ImageError('system', `cannot read ${variable}: ${messageOf(cause)}`, { cause });
  }
}

function ifThere(path: string): string[] {
  try {
    return [textOf(path)];
  } catch (error) {
    // Directories of certificates are full of links, some to nothing.
    if (isSystemError(error, 'ENOENT') || isOther(error)) return [];
    throw new ImageError('system', `cannot read certificates: ${messageOf(error)}`, { cause: error });
  }
}

function isOther(error: unknown): boolean {
  return error instanceof GivenFileError && error.code === 'not-a-file';
}

/** Comments between certificates are in any encoding. */
function textOf(path: string): string {
  return readGivenBytes(path, LARGEST_BUNDLE).toString('latin1');
}

function textsIn(directory: string): string[] {
  try {
    return readdirSync(directory).flatMap((name) => ifThere(join(directory, name)));
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
