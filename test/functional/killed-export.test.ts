import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { killedAt, wasKilled } from '../support/crash/system-calls.ts';
import { tinyImages } from '../support/images.ts';
import { useRkt } from '../support/rkt.ts';

const rkt = useRkt();

test.each(['aci', 'oci-archive'])(
  'an export as %s that is killed in its last moment leaves no file',
  async (format) => {
    const { aci } = await tinyImages();
    const id = (await rkt.output(['fetch', '--full', aci.plain])).trim();
    const [directory, log] = [rkt.path(format), rkt.path('log')];
    mkdirSync(directory);
    const argv = rkt.argv(['image', 'export', `--format=${format}`, id, `${directory}/image`]);
    await rkt.startArgv(killedAt({ call: 'linkat', nth: 1, moment: 'none' }, log, argv)).finished;
    expect(wasKilled(log)).toBe(true);
    expect(readdirSync(directory)).toEqual([]);
    writeFileSync(`${directory}/image`, 'older');
    await rkt.output(['image', 'export', '--overwrite', `--format=${format}`, id, `${directory}/image`]);
    expect(readdirSync(directory)).toEqual(['image']);
  },
);
