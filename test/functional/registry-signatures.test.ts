import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { LayoutWriter, type Written } from '../support/layout-writer.ts';
import { answering, ScriptedServer } from '../support/scripted-server.ts';
import { useSigningBench } from '../support/signing-bench.ts';
import * as tar from '../support/tar-archive.ts';

// Signatures that skopeo and gpg put beside a registry: those that count, and one row for each way in which one does not.

const bench = useSigningBench();
const UNKNOWN = /: openpgp: signature made by unknown entity, key [0-9a-f]{16}\n$/;
const { lookaside, makeImage, push, signaturesOf, fetchWith, refused } = bench;

describe('a signature by skopeo', () => {
  test('counts, and its signer is named', async () => {
    await push(makeImage().from, 'team/good:1');
    const { code, stdout, stderr } = await fetchWith(lookaside, 'team/good:1');
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^sha256-[0-9a-f]{32}\n$/) });
    expect(stderr).toContain('image: signature verified:\nimage:   Release <release@example.com>\n');
  });

  test('counts for who asks by digest, whatever the tag', async () => {
    const { from, image } = makeImage();
    await push(from, 'team/digest:1');
    expect(await fetchWith(lookaside, `team/digest@${image.digest}`)).toMatchObject({ code: 0 });
  });

  test('counts beside one that does not', async () => {
    const { from, image } = makeImage();
    const at = (number: number) => join(signaturesOf('team/both', image), `signature-${number}`);
    await push(from, 'team/both:1');
    const good = readFileSync(at(1));
    await push(from, 'team/both:1', 'stranger');
    expect(readFileSync(at(1))).not.toEqual(good);
    writeFileSync(at(2), good);
    expect(await fetchWith(lookaside, 'team/both:1')).toMatchObject({ code: 0 });
  });

  test('is asked for when the image is in the store, if it was fetched without', async () => {
    await push(makeImage().from, 'team/later:1', 'stranger');
    const store = 'later';
    expect(await fetchWith(lookaside, 'team/later:1', { store, insecure: 'image' })).toMatchObject({
      code: 0,
    });
    const { code, stderr } = await fetchWith(lookaside, 'team/later:1', { store });
    expect({ code, stderr }).toEqual({ code: 254, stderr: expect.stringMatching(UNKNOWN) });
  });

  test('is fetched from a server, where all but a missing one is an error', async () => {
    await push(makeImage().from, 'team/served:1');
    await using server = await ScriptedServer.start(({ path }, response) => {
      const file = join(bench.lookasidePath, decodeURIComponent(path).replace('/sigs/', ''));
      if (existsSync(file)) response.end(readFileSync(file));
      else response.writeHead(404).end();
    }, bench.certificate);
    const config = { lookaside: `${server.origin}/sigs` };
    expect(await fetchWith(config, 'team/served:1')).toMatchObject({ code: 0 });
    const name = '^GET /sigs/team/served@sha256=[0-9a-f]{64}/signature-';
    expect(server.asked).toEqual([1, 2].map((n) => expect.stringMatching(new RegExp(`${name}${n}$`))));
    await using broken = await ScriptedServer.start(answering(500), bench.certificate);
    expect(await refused({ lookaside: broken.origin }, 'team/served:1')).toMatch(/status code: 500\n$/);
  });
});

describe('of an image for several machines', () => {
  /** An index of two images, signed by skopeo as a whole and each, of which only some signatures are left. */
  async function pushIndex(name: string, kept: (index: Written, own: Written, other: Written) => Written[]) {
    const layout = new LayoutWriter(bench.rkt.path(`index-${name}`));
    const [own, other] = ['amd64', 'arm64'].map((architecture) => {
      const layers = [tar.archive(tar.file(`${name}-${architecture}`, ''))];
      return layout.image({ layers, architecture });
    });
    if (own === undefined || other === undefined) throw new TypeError('two images');
    const index = layout.index([own, other]);
    await push(layout.tag(index, 'all'), `team/${name}:1`, 'company', ['--all']);
    const all = [index, own, other];
    const left = kept(index, own, other);
    for (const one of all) expect(existsSync(signaturesOf(`team/${name}`, one))).toBe(true);
    for (const one of all)
      if (!left.includes(one)) rmSync(signaturesOf(`team/${name}`, one), { recursive: true });
  }

  test('the signature of the index is enough', async () => {
    await pushIndex('index', (index) => [index]);
    expect(await fetchWith(lookaside, 'team/index:1')).toMatchObject({ code: 0 });
  });

  test('and so is that of the image for this machine', async () => {
    await pushIndex('own', (_index, own) => [own]);
    expect(await fetchWith(lookaside, 'team/own:1')).toMatchObject({ code: 0 });
  });

  test('but not that of the image for another', async () => {
    await pushIndex('other', (_index, _own, other) => [other]);
    expect(await refused(lookaside, 'team/other:1')).toMatch(/image \S+\/team\/other:1 is not signed\n$/);
  });
});

/** Pushes an image as `team/NAME:1` and does something to its signature. */
type Tampering = (name: string) => Promise<void>;

async function signed(name: string, signer: 'company' | 'stranger' = 'company') {
  const made = makeImage();
  await push(made.from, name, signer);
  return { ...made, signatures: signaturesOf(name.replace(/:.*/, ''), made.image) };
}

const changed =
  (change: (signature: Buffer) => Buffer): Tampering =>
  async (name) => {
    const file = join((await signed(name)).signatures, 'signature-1');
    writeFileSync(file, change(readFileSync(file)));
  };

const COMPANY = 'release@example.com';
const ANOTHER = `sha256:${'0'.repeat(64)}`;
const statement = (digest: string, reference: string, change: object = {}) => ({
  critical: {
    type: 'atomic container signature',
    image: { 'docker-manifest-digest': digest },
    identity: { 'docker-reference': reference },
    ...change,
  },
});

/** A statement with something of its own, signed by the company. */
const stating =
  (change: object): Tampering =>
  async (name) => {
    const { image, signatures } = await signed(name);
    const text = JSON.stringify(statement(image.digest, `${bench.registry.address}/${name}`, change));
    const message = await bench.gpg.signMessage(text, { by: [COMPANY], armor: false });
    writeFileSync(join(signatures, 'signature-1'), message);
  };

const REFUSED: Readonly<Record<string, readonly [RegExp, Tampering]>> = {
  'is missing': [
    /: image \S+ is not signed\n$/,
    async (name) => rmSync((await signed(name)).signatures, { recursive: true }),
  ],
  'is by a stranger': [UNKNOWN, async (name) => void (await signed(name, 'stranger'))],
  'is of another image': [
    /: signature is for the image sha256:[0-9a-f]{64}, not for sha256:[0-9a-f]{64}\n$/,
    async (name) => {
      const other = await signed(`${name}-other`);
      const { signatures } = await signed(name);
      cpSync(other.signatures, signatures, { recursive: true });
    },
  ],
  'is of the same image by another name': [
    /: signature is for \S+\/team\/elsewhere:1, not for \S+\/team\/renamed:1\n$/,
    async (name) => {
      const made = makeImage();
      await push(made.from, 'team/elsewhere:1');
      await push(made.from, name);
      cpSync(signaturesOf('team/elsewhere', made.image), signaturesOf(name.replace(/:.*/, ''), made.image), {
        recursive: true,
      });
    },
  ],
  'is of the same image under another tag': [
    /: signature is for \S+:old, not for \S+:1\n$/,
    async (name) => {
      const repository = name.replace(/:.*/, '');
      const made = makeImage();
      await push(made.from, `${repository}:old`);
      const before = readFileSync(join(signaturesOf(repository, made.image), 'signature-1'));
      await push(made.from, name);
      rmSync(signaturesOf(repository, made.image), { recursive: true });
      mkdirSync(signaturesOf(repository, made.image));
      writeFileSync(join(signaturesOf(repository, made.image), 'signature-1'), before);
    },
  ],
  'was made for another statement': [
    /: openpgp: invalid signature/,
    async (name) => {
      const { image, signatures } = await signed(name);
      const reference = `${bench.registry.address}/${name}`;
      const text = JSON.stringify(statement(ANOTHER, reference));
      const options = ['--compress-algo=none'];
      const message = await bench.gpg.signMessage(text, { by: [COMPANY], armor: false, options });
      const changed = message.toString('latin1').replace(ANOTHER, image.digest);
      writeFileSync(join(signatures, 'signature-1'), changed, 'latin1');
    },
  ],
  'is cut off': [
    /: signature: not a signed message: /,
    changed((signature) => signature.subarray(0, signature.length >> 1)),
  ],
  'is none': [/: signature: not binary OpenPGP\n$/, changed(() => Buffer.from('no signature'))],
  'is larger than any': [/ is not a file of at most \d+ bytes\n$/, changed(() => Buffer.alloc(1_000_000))],
  'states something of another kind': [
    /: .*type.*\n$/,
    stating({ type: 'cosign container image signature' }),
  ],
  'states what nobody understands': [/: .*frob.*\n$/, stating({ frob: true })],
};

describe('an image is refused, and nothing of it kept, whose signature', () => {
  let count = 0;
  test.each(Object.keys(REFUSED))('%s', async (what) => {
    const [message, tamper] = REFUSED[what] ?? [];
    const name = what.includes('by another name') ? 'team/renamed:1' : `team/refused${++count}:1`;
    await tamper?.(name);
    expect(await refused(lookaside, name)).toMatch(message ?? /^$/);
  });

  test('is by a key that is trusted for other images', async () => {
    await push(makeImage().from, 'others/app:1');
    expect(await refused(lookaside, 'others/app:1')).toMatch(UNKNOWN);
  });

  test('nobody has said where to find', async () => {
    await push(makeImage().from, 'team/nowhere:1');
    expect(await refused({}, 'team/nowhere:1')).toMatch(
      /nothing says where signatures of images from \S+ are: configure lookaside or cosignKeys/,
    );
  });
});
