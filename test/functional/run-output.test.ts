import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { FLAVOURS } from '../support/flavours.ts';
import { pythonImage, tinyImages } from '../support/images.ts';
import { useRkt } from '../support/rkt.ts';

describe.each(FLAVOURS)('$name', ({ image: stage1 }) => {
  const rkt = useRkt(stage1);
  const TEN_MB = 10 * 1024 * 1024;
  const BLOCK = 8192;

  describe('output and exit code of a single app', () => {
    let image = '';
    beforeAll(async () => {
      image = (await tinyImages()).aci.gzip;
    });

    const shell = (script: string) => ['run', '--net=none', image, '--exec=/bin/sh', '--', '-c', script];

    test('the exit code is the app’s, its streams stay apart and unaltered', async () => {
      const { code, stdout, stderr } = await rkt.run(shell('printf out; printf err >&2; exit 7'));
      expect({ code, stdout }).toEqual({ code: 7, stdout: 'out' });
      expect(stderr).toMatch(/err$/);
    });

    test('an app killed by a signal makes 128 + n', async () => {
      expect((await rkt.run(shell('kill -SEGV $$'))).code).toBe(128 + 11);
    });

    test('the image’s own command runs when none is given', async () => {
      const { code, stdout } = await rkt.run(['run', '--net=none', image]);
      expect({ code, stdout }).toEqual({ code: 0, stdout: 'hello from the image\n' });
    });

    test('standard input is empty unless the pod is interactive', async () => {
      const { code, stdout } = await rkt.run(shell('cat; echo end'), { input: 'not for the app' });
      expect({ code, stdout }).toEqual({ code: 0, stdout: 'end\n' });
    });

    test.each([
      { exec: '/bin/absent', why: /absent/ },
      { exec: '/etc/passwd', why: /passwd/ },
      { exec: '/bin/broken-loader', why: /\/no\/such\/interpreter/ },
    ])('an app that cannot start says why: $exec', async ({ exec, why }) => {
      const { code, stderr } = await rkt.run(['run', '--net=none', image, `--exec=${exec}`, '--name=web']);
      expect(code).toBe(203);
      expect(stderr).toMatch(why);
      expect(stderr).toMatch(/web/);
    });

    test('an image layer is the same again for the next pod', async () => {
      expect((await rkt.run(shell('touch /mine && ls / | grep -c mine'))).stdout).toBe('1\n');
      expect((await rkt.run(shell('ls / | grep -c mine'))).stdout).toBe('0\n');
    });
  });

  describe('an OCI image of Debian’s packages', () => {
    let image = '';
    beforeAll(async () => {
      image = `oci:${await pythonImage()}:latest`;
    });

    const python = (script: string) => [
      ...['run', '--net=none', image, '--exec', '/usr/bin/python3', '--', '-c', script],
    ];

    test('Python runs in it', async () => {
      const script = 'import platform, sys; print(2 ** 64, platform.release()); sys.exit(7)';
      const { code, stdout } = await rkt.run(python(script));
      expect(code).toBe(7);
      expect(stdout).toMatch(/^18446744073709551616 \d+\.\d+/);
    });

    test('10 MB on stdout and 10 MB on stderr arrive whole and apart', async () => {
      const script = `
import os, threading
def write(fd, seed):
    filler = bytes(j * seed & 255 for j in range(${BLOCK - 8}))
    data = b''.join(i.to_bytes(8, 'big') + filler for i in range(${TEN_MB / BLOCK}))
    while data:
        data = data[os.write(fd, data):]
threads = [threading.Thread(target=write, args=a) for a in ((1, 3), (2, 5))]
[t.start() for t in threads]
[t.join() for t in threads]
`;
      const { code, stdoutBytes, stderrBytes } = await rkt.run(python(script), { timeoutSeconds: 240 });
      expect(code).toBe(0);
      expect(stdoutBytes.length).toBe(TEN_MB);
      expect(digest(stdoutBytes)).toBe(digest(numbered(3)));
      // What rkt itself has to say comes before the app's first byte.
      expect(digest(stderrBytes.subarray(-TEN_MB))).toBe(digest(numbered(5)));
    });
  });

  /** What the script writes: numbered blocks, so that a lost, doubled or swapped one shows. */
  function numbered(seed: number): Buffer {
    const block = Buffer.from(Array.from({ length: BLOCK }, (_, index) => ((index - 8) * seed) & 255));
    const blocks = Array.from({ length: TEN_MB / BLOCK }, (_, index) => {
      block.writeBigUInt64BE(BigInt(index));
      return Buffer.from(block);
    });
    return Buffer.concat(blocks);
  }

  function digest(bytes: Uint8Array): string {
    return createHash('sha256').update(bytes).digest('hex');
  }
});
