import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseImageManifest, parsePodManifest } from '../../src/appc/index.ts';
import { writeAceImage } from '../support/ace-images.ts';
import type { RunningCommand } from '../support/command.ts';
import { VARIANTS } from '../support/flavours.ts';
import { useSite } from '../support/network-site.ts';
import { eventually } from '../support/polling.ts';

const site = useSite();
let service: RunningCommand;
let images: readonly string[] = [];
beforeAll(async () => {
  const { rkt } = site.now;
  images = [await writeAceImage(rkt.path('.'), 'main'), await writeAceImage(rkt.path('.'), 'sidekick')];
  service = rkt.start(['metadata-service', '--debug'], { timeoutSeconds: 1200 });
  await eventually('the metadata service answers', () => service.stderr.includes('answers at port'));
});

afterAll(async () => {
  service.signal('SIGTERM');
  await service.finished;
});

/** What the metadata service has answered to the main app. */
function answersOf(stdout: string): (path: string) => string {
  const answers = new Map(
    [...stdout.matchAll(/^answer (\S+) (.*)$/gm)].map(([, path = '', answer = '']) => [path, answer]),
  );
  return (path) => answers.get(path) ?? `no answer to ${path}`;
}

function expectMetadata(stdout: string): void {
  const answer = answersOf(stdout);
  const json = (path: string) => JSON.parse(answer(path));
  const manifest = parsePodManifest(json('pod/manifest'));
  expect(answer('pod/uuid')).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  expect(manifest.annotations).toContainEqual({ name: 'of', value: 'pod' });
  expect(json('pod/annotations')).toEqual(manifest.annotations);
  expect(manifest.apps.map(({ name }) => name)).toEqual(['ace-validator-main', 'ace-validator-sidekick']);
  for (const { name, image, annotations } of manifest.apps) {
    const { name: imageName, annotations: own } = parseImageManifest(json(`apps/${name}/image/manifest`));
    expect(imageName).toBe(`coreos.com/${name}`);
    expect(answer(`apps/${name}/image/id`)).toBe(image.id);
    expect(json(`apps/${name}/annotations`)).toEqual([...own, ...annotations]);
  }
}

const VOLUME = '--volume=database,kind=empty';
const together = VARIANTS.filter(({ severalApps }) => severalApps);

describe.each(together)('$name passes appc’s validator of executors', ({ image, flags: variant }) => {
  const flags = [...variant, `--stage1-path=${image}`, '--mds-register', '--annotation=of=pod', VOLUME];

  // Each pod has clean roots.
  test.each(['once', 'and again'])('in its four modes, %s', async () => {
    const { code, stdout, stderr } = await site.now.rkt.run(['run', ...flags, ...images], {
      timeoutSeconds: 300,
    });
    expect(stderr).not.toContain('==>');
    const modes = stdout.split('\n').filter((line) => / (OK|FAIL)$/.test(line));
    expect([...modes].sort()).toEqual(['main OK', 'poststop OK', 'prestart OK', 'sidekick OK']);
    const main = modes.filter((line) => line !== 'sidekick OK');
    expect(main).toEqual(['prestart OK', 'main OK', 'poststop OK']);
    expect(code).toBe(0);
    expectMetadata(stdout);
  });
});
