import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toolBytes } from './tool.ts';

export interface SigningOptions {
  /** Ids of the keys or subkeys that sign; a `!` behind one keeps gpg from taking another subkey. */
  readonly by: readonly string[];
  readonly armor?: boolean;
  /** More of gpg's options, such as `--digest-algo=SHA1`. */
  readonly options?: readonly string[];
}

/** GnuPG in a home of its own: makes keys and signatures as people do. Its agent ends with it. */
export class GpgHome implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'gpg-'));
  #files = 0;

  /** Runs gpg; gives its standard output. */
  run(args: readonly string[], input: string | Uint8Array = ''): Promise<Buffer> {
    const quiet = ['--batch', '--yes', '--quiet', '--no-tty', '--pinentry-mode=loopback', '--passphrase', ''];
    return this.command('gpg', [...quiet, ...args], input);
  }

  /** Runs a program that finds its keys here, such as skopeo. */
  command(program: string, args: readonly string[], input: string | Uint8Array = ''): Promise<Buffer> {
    return toolBytes(program, args, { input, env: { LC_ALL: 'C.UTF-8', GNUPGHOME: this.path } });
  }

  /** A key without a passphrase; gives its fingerprint, in lower-case hex. `algorithm` and the others are gpg's words. */
  async makeKey(
    name: string,
    algorithm: string,
    { usage = 'sign', expires = 'never', options = [] as readonly string[] } = {},
  ): Promise<string> {
    await this.run([...options, '--quick-gen-key', name, algorithm, usage, expires]);
    return (await this.fingerprints(`=${name}`))[0] ?? '';
  }

  /** Adds a subkey; gives its fingerprint. */
  async addSubkey(
    key: string,
    algorithm: string,
    { usage = 'sign', expires = 'never', options = [] as readonly string[] } = {},
  ): Promise<string> {
    await this.run([...options, '--quick-add-key', key.toUpperCase(), algorithm, usage, expires]);
    return (await this.fingerprints(key)).at(-1) ?? '';
  }

  /** Takes the trust from a key by the certificate that gpg made with it. */
  async revoke(key: string): Promise<void> {
    const path = join(this.path, 'openpgp-revocs.d', `${key.toUpperCase()}.rev`);
    await this.run(['--import'], readFileSync(path, 'utf8').replace(/^:-----BEGIN/m, '-----BEGIN'));
  }

  /** Changes a key as a person would, by gpg's commands and answers to its questions. */
  async edit(key: string, answers: readonly string[]): Promise<void> {
    const input = `${answers.join('\n')}\n`;
    await this.run(['--expert', '--command-fd=0', '--edit-key', key], input);
  }

  exportKeys(keys: readonly string[], armor = true): Promise<Buffer> {
    return this.run([...(armor ? ['--armor'] : []), '--export', ...keys]);
  }

  /** A detached signature. */
  signDetached(content: string | Uint8Array, signing: SigningOptions): Promise<Buffer> {
    return this.#sign(['--detach-sign'], content, signing);
  }

  /** A signed message, which holds the content. */
  signMessage(content: string | Uint8Array, signing: SigningOptions): Promise<Buffer> {
    return this.#sign(['--sign'], content, signing);
  }

  [Symbol.dispose](): void {
    // The agent ends when its socket is gone; asking it is not worth waiting for.
    rmSync(this.path, { recursive: true, force: true });
  }

  #sign(
    verb: readonly string[],
    content: string | Uint8Array,
    { by, armor = true, options = [] }: SigningOptions,
  ) {
    const file = join(this.path, `content-${++this.#files}`);
    writeFileSync(file, content);
    const keys = by.flatMap((key) => ['--local-user', key]);
    return this.run([...keys, ...(armor ? ['--armor'] : []), ...options, '--output', '-', ...verb, file]);
  }

  /** Of a key and of its subkeys. */
  async fingerprints(key: string): Promise<string[]> {
    const listing = (await this.run(['--with-colons', '--list-keys', key])).toString();
    return [...listing.matchAll(/^fpr:+([0-9A-F]+):/gm)].map(([, fingerprint = '']) =>
      fingerprint.toLowerCase(),
    );
  }
}
