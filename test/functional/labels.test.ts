import { writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { FLAVOURS } from '../support/flavours.ts';
import { tinyImages } from '../support/images.ts';
import { useRkt } from '../support/rkt.ts';

const rkt = useRkt();
let image = '';
beforeAll(async () => {
  image = (await tinyImages()).aci.plain;
});

const statusOf = async (uuid: string) => JSON.parse(await rkt.output(['status', '--format=json', uuid]));
const manifestOf = async (uuid: string) => JSON.parse(await rkt.output(['cat-manifest', uuid]));
const prepare = async (...args: string[]) => (await rkt.output(['prepare', ...args])).trimEnd();

describe.each(FLAVOURS)('with $name', (flavour) => {
  const stage1 = `--stage1-path=${flavour.image}`;

  test('labels and annotations are the pod’s before the first image, and then the image’s before them', async () => {
    const ofPod = ['--user-label=team=blue', '--user-annotation=for=all', '--annotation=example.com/p=1'];
    const ofApp = ['--user-label=tier=front', '--user-label=tier=back', '--user-annotation=why=x=y'];
    const uuid = await prepare(
      stage1,
      ...ofPod,
      image,
      '--name=one',
      ...ofApp,
      '--annotation=homepage=http://a/',
    );
    expect(await rkt.run(['run-prepared', '--net=none', uuid])).toMatchObject({ code: 0 });
    const status = await statusOf(uuid);
    expect(status).toMatchObject({ user_labels: { team: 'blue' }, user_annotations: { for: 'all' } });
    expect(status.apps).toMatchObject([
      { name: 'one', user_labels: { tier: 'back' }, user_annotations: { why: 'x=y' } },
    ]);
    const manifest = await manifestOf(uuid);
    expect(manifest.annotations).toContainEqual({ name: 'example.com/p', value: '1' });
    expect(manifest.apps[0].annotations).toContainEqual({ name: 'homepage', value: 'http://a/' });
    expect(manifest).toMatchObject({ userLabels: { team: 'blue' }, userAnnotations: { for: 'all' } });
    // A manifest keeps what it says.
    writeFileSync(rkt.path('pod.json'), JSON.stringify(manifest));
    const again = await prepare(stage1, `--pod-manifest=${rkt.path('pod.json')}`);
    expect(await statusOf(again)).toMatchObject({ user_labels: { team: 'blue' } });
    await rkt.output(['rm', uuid, again]);
  });

  test('run takes them as prepare does', async () => {
    const flags = ['--user-label=from=run', image, '--annotation=example.com/a=b', '--user-annotation=k='];
    expect(await rkt.run(['run', '--net=none', stage1, ...flags])).toMatchObject({ code: 0 });
    const [pod] = await rkt.list();
    expect(pod).toMatchObject({
      state: 'exited',
      user_labels: { from: 'run' },
      apps: [{ user_annotations: { k: '' } }],
    });
    await rkt.output(['rm', pod?.name ?? '']);
  });
});

describe('list --filter', () => {
  const uuids = new Map<string, string>();
  beforeAll(async () => {
    uuids.set('a', await prepare('--pod-name=pod-a', '--user-label=env=test', image, '--name=web'));
    uuids.set('b', await prepare('--pod-name=pod-b', image, '--name=db', '--user-label=env=live'));
    uuids.set('c', await prepare(image, '--name=web', image, '--name=probe'));
  });
  const names = async (...filters: string[]) => {
    const text = await rkt.output(['list', '--quiet', ...filters.map((filter) => `--filter=${filter}`)]);
    const found = text.split('\n').slice(0, -1);
    return [...uuids].filter(([, uuid]) => found.includes(uuid)).map(([name]) => name);
  };

  test.each([
    [['state=prepared'], ['a', 'b', 'c']],
    [['state=running'], []],
    [
      ['state=running', 'state=prepared'],
      ['a', 'b', 'c'],
    ],
    [['name=pod-a'], ['a']],
    [['app=web'], ['a', 'c']],
    [['app=web', 'label=env'], ['a']],
    [['label=env'], ['a', 'b']],
    [['label=env=live'], ['b']],
    [
      ['label=env=live', 'label=env=test', 'app=db', 'app=web'],
      ['a', 'b'],
    ],
    [['image=example.com/tiny'], ['a', 'b', 'c']],
    [['image=example.com/other'], []],
  ])('%j', async (filters, expected) => {
    expect(await names(...filters)).toEqual(expected);
  });

  test('goes with the other flags of list; what is no filter is refused', async () => {
    const json = JSON.parse(await rkt.output(['list', '--filter=name=pod-a', '--format=json']));
    expect(json).toMatchObject([{ name: uuids.get('a'), pod_name: 'pod-a', user_labels: { env: 'test' } }]);
    const table = await rkt.output(['list', '--full', '--no-legend', '--filter=name=pod-b']);
    expect(table).toMatch(new RegExp(`^${uuids.get('b')}\\tdb\\t.*\\tpod-b\n$`));
    // Nobody of these has a name: the table is rkt's.
    expect(await rkt.output(['list', '--filter=app=probe'])).toMatch(
      /^UUID\t+APP\t+IMAGE NAME\t+STATE\t+CREATED\t+STARTED\t+NETWORKS\n/,
    );
    expect(await rkt.output(['list', '-q', '--filter=name=pod-a'])).toBe(`${uuids.get('a')}\n`);
    for (const bad of ['uuid=x', 'state', 'name='])
      expect(await rkt.run(['list', `--filter=${bad}`])).toMatchObject({
        code: 254,
        stdout: '',
        stderr: `list: --filter: "${bad}" is not KEY=VALUE with a key of state, name, app, image, label\n`,
      });
    expect((await rkt.run(['list', '-q', '--format=json'])).stderr).toBe(
      'list: --quiet and --format exclude each other\n',
    );
  });
});

test('what appc refuses, and flags beside a manifest, are refused', async () => {
  const refusal = async (...args: string[]) => {
    const { code, stderr } = await rkt.run(['prepare', ...args]);
    expect(code).toBe(254);
    return stderr;
  };
  expect(await refusal(image, '--annotation=Bad_Name=1')).toContain('"Bad_Name"');
  expect(await refusal(image, '--annotation=created=today')).toContain('a date of RFC 3339');
  expect(await refusal(image, '--user-label=tier')).toBe('prepare: --user-label: "tier" is not KEY=VALUE\n');
  writeFileSync(rkt.path('any.json'), '{}');
  expect(await refusal(`--pod-manifest=${rkt.path('any.json')}`, '--user-label=a=b')).toBe(
    'prepare: conflicting flags set with --pod-manifest (see --help)\n',
  );
});
