import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { proposals } from '../support/completing-shell.ts';
import { GroupHost } from '../support/group-member.ts';
import { useRkt } from '../support/rkt.ts';

const rkt = useRkt();
// Of its own: a data directory has the group from its making on.
const home = useRkt();
const host = new GroupHost(home);
const refusal = async (...args: string[]) => {
  const { code, stderr } = await rkt.run(args);
  expect(code).toBe(254);
  return stderr;
};
const inspected = async (name: string) =>
  JSON.parse(await rkt.output(['volume', 'inspect', name, '--format=json']))[0];

test('a volume is made, found by its label, and removed with all that is in it', async () => {
  expect(await rkt.output(['volume', 'list'])).toBe('NAME\tCREATED\tPODS\n');
  expect(await rkt.output(['volume', 'list', '--format=json'])).toBe('null\n');
  const owner = ['--mode=2770', '--uid=70', '--gid=71'];
  expect(await rkt.output(['volume', 'create', '--label=tier=gold', ...owner, 'db', 'web-1'])).toBe(
    'db\nweb-1\n',
  );
  await rkt.output(['volume', 'create', '--label=tier=tin', 'cache']);
  expect(await rkt.output(['volume', 'list', '--quiet'])).toBe('cache\ndb\nweb-1\n');
  expect(await rkt.output(['volume', 'list', '-q', '--label=tier=gold'])).toBe('db\nweb-1\n');
  expect(await rkt.output(['volume', 'list', '--no-legend', '--label=tier=tin'])).toMatch(
    /^cache\t(now|\d+ seconds? ago)\t-\n$/,
  );
  const full = await rkt.output(['volume', 'list', '--no-legend', '--full', '--label=tier=tin']);
  expect(full).toMatch(/^cache\t\d{4}-\d\d-\d\d \d\d:\d\d:\d\d.*\t-\n$/);
  const { path, created_at, ...rest } = await inspected('db');
  expect(rest).toEqual({ name: 'db', labels: { tier: 'gold' } });
  expect(created_at).toBeCloseTo(Date.now() / 1000, -2);
  const { mode, uid, gid } = statSync(path);
  expect([mode & 0o7777, uid, gid]).toEqual([0o2770, 70, 71]);
  mkdirSync(join(path, 'deep/er'), { recursive: true });
  writeFileSync(join(path, 'deep/er/file'), 'x');
  expect(await rkt.output(['volume', 'rm', 'db', 'web-1'])).toBe('db\nweb-1\n');
  expect(() => statSync(path)).toThrow('ENOENT');
  await rkt.output(['volume', 'rm', 'cache']);
  expect(await rkt.output(['volume', 'list', '--quiet'])).toBe('');
});

test('what cannot be made or removed is told, and the others are', async () => {
  expect(await refusal('volume', 'create', 'one', 'One', 'one')).toBe(
    [
      'create: "One" is no name of a volume: lower case letters and digits, joined by single hyphens',
      'create: volume "one" is there already',
      'create: failed to make one or more volumes\n',
    ].join('\n'),
  );
  expect(await refusal('volume', 'rm', 'two', '../one', 'one')).toContain(
    'rm: no volume "two"\nrm: "../one" is',
  );
  expect(await refusal('volume', 'inspect', 'one')).toContain('inspect: no volume "one"\n');
  for (const flag of ['--mode=0888', '--mode=77777', '--uid=-1', '--gid=4294967295', '--label=x'])
    expect(await refusal('volume', 'create', flag, 'three')).toContain(flag.slice(0, flag.indexOf('=')));
  for (const verb of ['create', 'rm', 'inspect'])
    expect(await refusal('volume', verb)).toBe(`${verb}: must provide at least one name\n`);
  expect(await refusal('volume', 'list', '-q', '--format=json')).toContain('exclude each other');
  expect(await rkt.output(['volume', 'list', '-q'])).toBe('');
});

test('one whose record is damaged hides none of the others', async () => {
  await rkt.output(['volume', 'create', 'good', 'bad']);
  writeFileSync(join(rkt.dir, 'volumes/bad/record.json'), '{');
  const { code, stdout, stderr } = await rkt.run(['volume', 'list', '-q']);
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'good\n' });
  expect(stderr).toContain('list: volume "bad": volume "bad": its record cannot be read');
  expect(await rkt.output(['volume', 'rm', 'bad', 'good'])).toBe('bad\ngood\n');
});

describe('a host with the group rkt', () => {
  beforeAll(async () => {
    expect(await host.root(['volume', 'create', 'shared'])).toMatchObject({ code: 0 });
  });

  test('its members see volumes, not what is in them, and neither make nor remove any', async () => {
    expect(await host.member(['volume', 'list', '-q'])).toMatchObject({ code: 0, stdout: 'shared\n' });
    const { code, stdout } = await host.member(['volume', 'inspect', 'shared']);
    expect(code).toBe(0);
    const { path } = JSON.parse(stdout)[0];
    expect(await host.memberShell(`! ls ${path}`)).toMatchObject({ code: 0 });
    for (const args of [
      ['create', 'other'],
      ['rm', 'shared'],
    ])
      expect(await host.member(['volume', ...args])).toMatchObject({
        code: 254,
        stderr: `${args[0]}: cannot run as unprivileged user\n`,
      });
    expect(await host.stranger(['volume', 'list'])).toMatchObject({ code: 254 });
    expect(readFileSync(join(home.dir, 'volumes/shared/record.json'), 'utf8')).toContain('"labels":[]');
  });

  test('a shell completes their names', async () => {
    expect(await proposals(home, 'bash', `rkt --dir=${home.dir} volume rm sh`)).toEqual(['shared']);
    expect(await proposals(home, 'bash', 'rkt vol insp')).toEqual(['inspect']);
  });
});
