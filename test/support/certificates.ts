import { join } from 'node:path';
import { tool } from './tool.ts';

export interface Certificate {
  readonly certificatePath: string;
  readonly keyPath: string;
}

export interface CertificateOptions {
  /** Names and addresses in OpenSSL's words; the loopback's by default. */
  readonly names?: string;
  /** Until when it is valid, from now on; negative: it has expired. */
  readonly days?: number;
}

const LOOPBACK = 'DNS:localhost,IP:127.0.0.1';
const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** A certificate authority that nobody trusts who was not told to, as companies run them. */
export class TestAuthority {
  readonly caPath: string;
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
    this.caPath = join(directory, 'ca.crt');
  }

  /** Makes one in a directory that is there already. */
  static async create(directory: string): Promise<TestAuthority> {
    const authority = new TestAuthority(directory);
    const files = ['-keyout', join(directory, 'ca.key'), '-out', authority.caPath];
    const subject = ['-subj', '/CN=rkt test authority', '-days', '30'];
    await tool('openssl', ['req', '-x509', ...NEW_KEY, ...files, ...subject]);
    return authority;
  }

  /** `name` is that of the files. */
  async issue(name: string, { names = LOOPBACK, days = 30 }: CertificateOptions = {}): Promise<Certificate> {
    const at = (suffix: string) => join(this.#directory, `${name}.${suffix}`);
    const request = ['-out', at('csr'), '-subj', `/CN=${name}`, '-addext', `subjectAltName=${names}`];
    await tool('openssl', ['req', '-new', ...NEW_KEY, '-keyout', at('key'), ...request]);
    const signer = ['-CA', this.caPath, '-CAkey', join(this.#directory, 'ca.key'), '-days', `${days}`];
    const files = ['-in', at('csr'), '-out', at('crt'), '-copy_extensions', 'copy'];
    await tool('openssl', ['x509', '-req', ...signer, ...files]);
    return { certificatePath: at('crt'), keyPath: at('key') };
  }
}
