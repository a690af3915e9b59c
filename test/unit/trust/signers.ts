import { afterAll, beforeAll } from 'vitest';
import { type ACIdentifier, parseACIdentifier } from '../../../src/appc/index.ts';
import { type Keystore, openKeystore } from '../../../src/trust/index.ts';
import { readPublicKeys } from '../../../src/trust/key.ts';
import { type VerificationOptions, verifyDetached } from '../../../src/trust/verification.ts';
import { GpgHome } from '../../support/gpg.ts';
import { useScratchTree } from '../../support/scratch-tree.ts';

export const NAME = parseACIdentifier('example.com/app');
export const CONTENT = Buffer.from('an image\r\nof two lines \n');

export interface Given {
  /** Keys by their algorithm, or by their fingerprint. */
  readonly trusted: readonly string[];
  readonly signature: Uint8Array;
  readonly content?: Uint8Array | string;
  readonly options?: VerificationOptions;
}

/** Keys of people who sign images, one of each algorithm, and a host that trusts some of them. */
export function useSigners(...algorithms: readonly string[]) {
  const gpg = new GpgHome();
  const { at } = useScratchTree();
  const keys = new Map<string, string>();
  const key = (name: string) => keys.get(name) ?? name;
  beforeAll(async () => {
    for (const algorithm of algorithms)
      keys.set(algorithm, await gpg.makeKey(`Signer <${algorithm}@example.com>`, algorithm));
  });
  afterAll(() => gpg[Symbol.dispose]());

  /** A keystore on disk that has these keys, as gpg exports them now, for one prefix. */
  const trusting = async (trusted: readonly string[], prefix: ACIdentifier = NAME): Promise<Keystore> => {
    const keystore = openKeystore({ systemDirectory: at('lib'), localDirectory: at('etc') });
    for (const one of trusted) {
      for (const parsed of await readPublicKeys(await gpg.exportKeys([key(one)]), one))
        keystore.add({ kind: 'prefix', prefix }, parsed);
    }
    return keystore;
  };

  const verify = async ({ trusted, signature, content = CONTENT, options }: Given) => {
    const bytes = typeof content === 'string' ? content : inPieces(content);
    return verifyDetached(await trusting(trusted), NAME, bytes, signature, options);
  };
  return { gpg, key, trusting, verify, at };
}

async function* inPieces(content: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  for (let offset = 0; offset < content.length; offset += 7) yield content.subarray(offset, offset + 7);
}
