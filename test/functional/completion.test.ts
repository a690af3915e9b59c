import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { proposals } from '../support/completing-shell.ts';
import { tinyImages } from '../support/images.ts';
import { useRkt } from '../support/rkt.ts';

const rkt = useRkt();
let [id, uuid] = ['', ''];
beforeAll(async () => {
  const { aci } = await tinyImages();
  id = (await rkt.output(['fetch', '--full', aci.plain])).trim();
  await rkt.run(['run', '--net=none', '--pod-name=tiny-one', aci.plain, '--exec=/bin/true']);
  uuid = (await rkt.list())[0]?.name ?? '';
  mkdirSync(rkt.path('files/deeper'), { recursive: true });
  mkdirSync(join(rkt.localConfig, 'net.d'));
  writeFileSync(join(rkt.localConfig, 'net.d/10-lab.conf'), '{"name":"lab","type":"bridge"}');
  for (const name of ['web.aci', 'web.txt']) writeFileSync(rkt.path(`files/${name}`), '');
});

describe.each(['bash', 'zsh', 'fish'] as const)('%s', (shell) => {
  const propose = (line: string) => proposals(rkt, shell, line);

  test.each([
    ['a command', 'rkt versi', ['version']],
    ['commands that begin alike', 'rkt image ex', ['export', 'extract']],
    ['a command behind a global flag', 'rkt --debug image --dir=/tmp verif', ['verify']],
    ['the command of an abbreviated group', 'rkt ima li', ['list']],
    ['a topic of the help', 'rkt help image rend', ['render']],
    ['a flag without a value', 'rkt list --no-', ['--no-legend']],
    ['a flag with a value', 'rkt run --pull-', ['--pull-policy=']],
    ['a flag that takes a value or none', 'rkt status --wait-', ['--wait-ready', '--wait-ready=']],
    ['a value in the same word', 'rkt image export --format=oci', ['oci-archive']],
    ['a value in a word of its own', 'rkt run --pull-policy ne', ['never', 'new']],
    ['a shell', 'rkt completion z', ['zsh']],
    ['nothing for an unknown command', 'rkt nothing li', ['li']],
  ])('completes %s', async (_, line, expected) => {
    const found = (await propose(line)).map((word) => word.replace(/^--format=/, ''));
    // An editor leaves what is typed as it is; fish lists nothing.
    const nothing = shell === 'fish' && expected[0] === 'li';
    expect(found).toEqual(nothing ? [] : expected);
  });

  test('asks the store for ids and names of images, and the data directory for pods', async () => {
    const program = `rkt --dir=${rkt.dir}`;
    expect(await propose(`${program} image rm ${id.slice(0, 12)}`)).toEqual([id]);
    expect(await propose(`${program} run --stage1-hash=${id.slice(0, 12)}`)).toEqual([
      expect.stringMatching(new RegExp(`^(--stage1-hash=)?${id}$`)),
    ]);
    expect(await propose(`${program} image cat-manifest example.com/tiny:1`)).toEqual([
      'example.com/tiny:1.0.0',
    ]);
    expect(await propose(`${program} status ${uuid.slice(0, 2)}`)).toEqual([uuid]);
    expect(await propose(`${program} rm x ${uuid.slice(0, 2)}`)).toEqual([uuid]);
    expect(await propose(`${program} stop tin`)).toEqual(['tiny-one']);
    expect(await propose(`${program} cp ${uuid.slice(0, 2)}`)).toEqual([`${uuid}:`]);
    expect(await propose(`${program} cp file tin`)).toEqual(['tiny-one:']);
  });

  test('knows the apps of the pod, the keys and states of a filter, and what an app may be given', async () => {
    const bare = async (line: string) =>
      (await propose(`rkt --dir=${rkt.dir} ${line}`)).map((word) => word.replace(/^--[a-z-]+=/, ''));
    expect(await bare('enter --app=t')).toEqual(['tiny']);
    expect(await bare('app exec --app t')).toEqual(['tiny']);
    expect(await bare('logs tiny-one --app=t')).toEqual(['tiny']);
    expect(await bare('list --filter=st')).toEqual(['state=']);
    expect((await bare('list --filter=state=ru')).map((word) => word.replace('state=', ''))).toEqual([
      'running',
    ]);
    expect(await bare('run --caps-retain=CAP_SYS_PT')).toEqual(['CAP_SYS_PTRACE']);
    expect(await bare('run --ulimit=nof')).toEqual(['nofile=']);
    expect(await bare('run --seccomp=mo')).toEqual(['mode=']);
  });

  test('knows the networks of net.d and those that are built in, one after the other', async () => {
    const bare = async (typed: string) =>
      (await propose(`rkt --local-config=${rkt.localConfig} run --net=${typed}`)).map((word) =>
        word.replace(/^--net=/, ''),
      );
    expect(await bare('la')).toEqual(['lab']);
    expect(await bare('lab,def')).toEqual(['lab,default', 'lab,default-restricted']);
    expect(await bare('al')).toEqual(['all']);
  });

  test('completes files and directories where those are wanted', async () => {
    const folder = rkt.path('files');
    const bare = async (line: string) =>
      (await propose(line)).map((word) => word.replace(/^--[a-z0-9-]+=/, '').replace(/\/$/, ''));
    expect(await bare(`rkt run ${folder}/web.a`)).toEqual([`${folder}/web.aci`]);
    expect(await bare(`rkt run --stage1-path=${folder}/web.`)).toEqual([
      `${folder}/web.aci`,
      `${folder}/web.txt`,
    ]);
    expect(await bare(`rkt cp ${folder}/web.a`)).toEqual([`${folder}/web.aci`]);
    expect(await bare(`rkt run --dir ${folder}/`)).toEqual([`${folder}/deeper`]);
    expect(await bare(`rkt image export example.com/tiny:1.0.0 ${folder}/web.t`)).toEqual([
      `${folder}/web.txt`,
    ]);
  });
});

test('other shells are refused', async () => {
  const { code, stderr } = await rkt.run(['completion', 'tcsh']);
  expect({ code, stderr }).toEqual({
    code: 254,
    stderr: 'completion: expected bash, zsh, fish, got "tcsh"\n',
  });
});
