import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type LayoutWriter, ociType, type Written } from './layout-writer.ts';
import { tool, toolBytes } from './tool.ts';

const STATEMENT_TYPE = 'application/vnd.dev.cosign.simplesigning.v1+json';

/** What a signature says of an image. */
export interface CosignStatement {
  readonly digest: string;
  /** `HOST[:PORT]/REPOSITORY`. */
  readonly reference: string;
}

/** The tag that the signatures of a manifest have in its repository. */
export const cosignTag = (digest: string) => `${digest.replace(':', '-')}.sig`;

/** Signs images as cosign does with a key, by its public format: OpenSSL makes keys and signatures. */
export class CosignSigner {
  readonly publicKeyPath: string;
  readonly #directory: string;
  readonly #keyPath: string;

  private constructor(directory: string, name: string) {
    this.#directory = directory;
    this.#keyPath = join(directory, `${name}.key`);
    this.publicKeyPath = join(directory, `${name}.pub`);
  }

  /** With a new key, kept in a directory that is there already. */
  static async create(directory: string, name: string): Promise<CosignSigner> {
    const signer = new CosignSigner(directory, name);
    const curve = ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'];
    await tool('openssl', ['genpkey', ...curve, '-out', signer.#keyPath]);
    await tool('openssl', ['pkey', '-in', signer.#keyPath, '-pubout', '-out', signer.publicKeyPath]);
    return signer;
  }

  /** The image of one signature, to be put under `cosignTag`. What is sent may be another statement than what was signed. */
  async sign(layout: LayoutWriter, signed: CosignStatement, sent = signed): Promise<Written> {
    const signature = await this.#signature(statementText(signed));
    const annotations = { 'dev.cosignproject.cosign/signature': signature };
    const layer = { ...layout.blob(statementText(sent), STATEMENT_TYPE), annotations };
    const rootfs = { type: 'layers', diff_ids: [layer.digest] };
    const config = layout.blob(JSON.stringify({ architecture: '', os: '', rootfs }), ociType('config'));
    const manifest = { schemaVersion: 2, mediaType: ociType('manifest'), config, layers: [layer] };
    return layout.blob(JSON.stringify(manifest), manifest.mediaType);
  }

  /** In base64. */
  async #signature(statement: string): Promise<string> {
    const path = join(this.#directory, 'statement');
    writeFileSync(path, statement);
    const signature = await toolBytes('openssl', ['dgst', '-sha256', '-sign', this.#keyPath, path]);
    return signature.toString('base64');
  }
}

function statementText({ digest, reference }: CosignStatement): string {
  const critical = {
    identity: { 'docker-reference': reference },
    image: { 'docker-manifest-digest': digest },
    type: 'cosign container image signature',
  };
  return JSON.stringify({ critical, optional: null });
}
