import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { FLAVOURS, FLY } from '../support/flavours.ts';
import { ImageSite } from '../support/image-site.ts';
import { tinyImages } from '../support/images.ts';
import { RktHome, savedUuid, useRkt } from '../support/rkt.ts';
import { ScriptedServer } from '../support/scripted-server.ts';
import { tool } from '../support/tool.ts';

let image = '';
beforeAll(async () => {
  image = (await tinyImages()).aci.plain;
});

describe.each([...FLAVOURS, FLY])('$name', (flavour) => {
  const rkt = useRkt();
  const run = (...flags: string[]) => rkt.run(['run', '--net=none', ...flags, image]);
  const RUNS = { code: 0, stdout: 'hello from the image\n' };

  test('--stage1-path, then its image by --stage1-hash from the store, then by --stage1-name', async () => {
    const uuidFile = rkt.path('uuid');
    expect(await run(`--uuid-file-save=${uuidFile}`, `--stage1-path=${flavour.image}`)).toMatchObject(RUNS);
    const tree = join(rkt.dir, 'pods/run', savedUuid(uuidFile) ?? '', 'stage1TreeStoreID');
    const hash = (await tool('cat', [tree])).trim();
    expect(hash).toMatch(/^sha512-[0-9a-f]{64}/);
    expect(await run(`--stage1-hash=${hash}`)).toMatchObject(RUNS);
    expect(await run(`--stage1-name=${flavour.imageName}`)).toMatchObject(RUNS);
  });

  test('--stage1-url fetches it, and verifies it as any image', async () => {
    const site = new ImageSite();
    site.put('/stage1.aci', readFileSync(flavour.image));
    site.put('/app.aci', readFileSync(image));
    await using server = await ScriptedServer.start(site.answer);
    const urlFlag = `--stage1-url=${server.origin}/stage1.aci`;
    const insecure = '--insecure-options=image,http';
    const fetched = new RktHome();
    try {
      const runFrom = (...flags: string[]) => fetched.run(['run', '--net=none', ...flags, image]);
      const unsigned = await fetched.run(['prepare', '--insecure-options=http', urlFlag, image]);
      expect(unsigned).toMatchObject({ code: 254, stdout: '' });
      expect(unsigned.stderr).toContain('stage1.aci.asc');
      expect(await runFrom(insecure, urlFlag)).toMatchObject(RUNS);
      expect(await runFrom(`--stage1-name=${flavour.imageName}`)).toMatchObject(RUNS);
      if (flavour.mutablePods) {
        const sandbox = await fetched.output(['app', 'sandbox', '--net=none', '--detach', insecure, urlFlag]);
        expect(await fetched.output(['stop', sandbox.trimEnd()])).toBe(`"${sandbox.trimEnd()}"\n`);
      }
      expect((await runFrom(insecure, `--stage1-url=${server.origin}/app.aci`)).stderr).toMatch(
        /it is no stage1|interface version/,
      );
      expect(await runFrom('--stage1-url=stage1.aci')).toMatchObject({
        code: 254,
        stderr: 'run: --stage1-url: "stage1.aci" is not an http, https, docker or file URL\n',
      });
      expect((await runFrom(urlFlag, `--stage1-path=${flavour.image}`)).stderr).toBe(
        'run: flags --stage1-path and --stage1-url are mutually exclusive\n',
      );
    } finally {
      await fetched.close();
    }
  });

  test('--stage1-from-dir takes it from the configured directory, `paths` names that directory', async () => {
    const directory = rkt.path('stage1-images');
    mkdirSync(directory);
    mkdirSync(join(rkt.localConfig, 'paths.d'));
    const paths = { rktKind: 'paths', rktVersion: 'v1', 'stage1-images': directory };
    writeFileSync(join(rkt.localConfig, 'paths.d/paths.json'), JSON.stringify(paths));
    copyFileSync(flavour.image, join(directory, 'other.aci'));
    expect(await run('--stage1-from-dir=other.aci')).toMatchObject(RUNS);
    const absent = await run('--stage1-from-dir=absent.aci');
    expect(absent.code).toBe(254);
    expect(absent.stderr).toMatch(/absent\.aci/);
  });

  test('the `stage1` configuration is used without a flag', async () => {
    const stage1 = {
      rktKind: 'stage1',
      rktVersion: 'v1',
      name: 'example.com/no-such-stage1',
      version: '1',
      location: rkt.path('missing.aci'),
    };
    mkdirSync(join(rkt.localConfig, 'stage1.d'));
    const file = join(rkt.localConfig, 'stage1.d/stage1.json');
    writeFileSync(file, JSON.stringify(stage1));
    const missing = await run();
    expect(missing.code).toBe(254);
    expect(missing.stderr).toMatch(/missing\.aci|no-such-stage1/);
    copyFileSync(flavour.image, rkt.path('found.aci'));
    writeFileSync(
      file,
      JSON.stringify({ rktKind: 'stage1', rktVersion: 'v1', location: rkt.path('found.aci') }),
    );
    expect(await run()).toMatchObject(RUNS);
  });

  test('an image that is no stage1 is refused', async () => {
    const { code, stderr } = await run(`--stage1-path=${image}`);
    expect(code).toBe(254);
    expect(stderr).toMatch(/stage1/);
    expect(stderr).toMatch(/coreos\.com\/rkt\/stage1\/run|entrypoint|example\.com\/tiny/);
  });
});
