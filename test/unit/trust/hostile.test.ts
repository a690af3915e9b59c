import { beforeAll, expect, test } from 'vitest';
import { TrustError } from '../../../src/trust/index.ts';
import { readPublicKeys } from '../../../src/trust/key.ts';
import { readSignatures } from '../../../src/trust/signature.ts';
import { readSignedMessage } from '../../../src/trust/signed-message.ts';
import { verifyContent } from '../../../src/trust/verification.ts';
import { randomFrom, testSeed } from '../../support/random.ts';
import { CONTENT, useSigners } from './signers.ts';

// Files of OpenPGP that somebody has damaged at random: read, or refused as a TrustError, and never believed.

const { gpg, key } = useSigners('ed25519', 'nistp256');
const files: { -readonly [kind in 'signature' | 'armor' | 'key' | 'message']?: Buffer } = {};
const file = (kind: keyof typeof files) => files[kind] ?? Buffer.alloc(0);
beforeAll(async () => {
  const by = [key('ed25519'), key('nistp256')];
  files.signature = await gpg.signDetached(CONTENT, { by, armor: false });
  files.armor = await gpg.signDetached(CONTENT, { by });
  files.key = await gpg.exportKeys(by, false);
  files.message = await gpg.signMessage(CONTENT, { by, armor: false });
});

const { RKT_TEST_SOAK } = process.env;
const ROUNDS = RKT_TEST_SOAK === '1' ? 4000 : 400;

function damaged(original: Buffer, random: () => number): Buffer {
  const pick = (below: number) => Math.floor(random() * below);
  let copy = Buffer.from(original);
  for (let times = pick(3); times >= 0; times--) {
    const at = pick(copy.length);
    switch (pick(4)) {
      case 0:
        copy.writeUInt8(pick(256), at);
        break;
      case 1:
        copy.writeUInt8(copy.readUInt8(at) ^ (1 << pick(8)), at);
        break;
      case 2:
        copy = Buffer.concat([copy.subarray(0, at), copy.subarray(at + 1 + pick(8))]);
        break;
      default:
        copy = Buffer.concat([copy.subarray(0, at), copy.subarray(pick(copy.length))]);
    }
    if (copy.length === 0) return copy;
  }
  return copy;
}

async function* once(content: Uint8Array) {
  yield content;
}

/** Runs an action on damaged files; how it ends may only be by a value or a TrustError. Gives the values. */
async function survive<T>(kind: keyof typeof files, action: (file: Buffer) => Promise<T>): Promise<T[]> {
  const seed = testSeed();
  const random = randomFrom(seed);
  const values: T[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const broken = damaged(file(kind), random);
    try {
      values.push(await action(broken));
    } catch (error) {
      if (error instanceof TrustError) continue;
      expect.fail(`RKT_TEST_SEED=${seed}, round ${round}, ${broken.toString('hex')}: ${error}`);
    }
  }
  return values;
}

function onlyTrustError(error: unknown): void {
  if (!(error instanceof TrustError)) throw error;
}

const trusted = async () => readPublicKeys(file('key'), 'key');

test.each(['signature', 'armor'] as const)('a damaged %s makes no other content good', async (kind) => {
  const keys = await trusted();
  const verified = await survive(kind, async (broken) => {
    const packets = await readSignatures(broken);
    await verifyContent({ keys, content: once(CONTENT), packets, subject: 'image' }, {}).catch(
      onlyTrustError,
    );
    return verifyContent({ keys, content: once(Buffer.from('other')), packets, subject: 'image' }, {});
  });
  expect(verified).toEqual([]);
});

test('a damaged key makes nobody trusted who was not', async () => {
  const fingerprints = [key('ed25519'), key('nistp256')];
  const found = (await survive('key', (broken) => readPublicKeys(broken, 'key'))).flat();
  for (const one of found.filter(({ identities }) => identities.length > 0))
    expect(fingerprints).toContain(one.fingerprint);
});

test('a damaged message says what was signed or nothing', async () => {
  const keys = await trusted();
  const contents = await survive('message', async (broken) => {
    const { content, signatures: packets } = await readSignedMessage(broken);
    await verifyContent({ keys, content: once(content), packets, subject: 'image' }, {});
    return Buffer.from(content).toString('latin1');
  });
  expect(new Set([...contents, CONTENT.toString('latin1')]).size).toBe(1);
});
