import { writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { tinyImages } from '../support/images.ts';
import { podDirectories } from '../support/leaks.ts';
import { RKT, useRkt } from '../support/rkt.ts';

const rkt = useRkt();
const UNKNOWN = '01234567-89ab-4cde-8123-456789abcdef';

/** In arguments, `IMG` stands for an image and `@NAME` for a file of the table below. */
let image = '';
beforeAll(async () => {
  image = (await tinyImages()).aci.plain;
  for (const [name, text] of Object.entries(FILES)) writeFileSync(rkt.path(name), text);
});

const FILES = {
  'env-twice': 'A=1\nA=2\n',
  'env-broken': 'no equals sign\n',
  'pod-broken': '{"acKind": "PodManifest"',
  'pod-kind': '{"acKind": "ImageManifest", "acVersion": "0.8.11", "name": "x"}',
  'pod-empty': '{"acKind": "PodManifest", "acVersion": "0.8.11", "apps": []}',
};

const REFUSED: readonly [args: string, message: RegExp][] = [
  ['run', /^run: must provide at least one image or specify the pod manifest$/m],
  ['run --exec=/bin/true IMG', /--exec must follow an image/],
  ['run --name=a IMG', /--name must follow an image/],
  ['run IMG IMG', /multiple apps with name "?tiny"?/],
  ['run IMG --name=Not_A_Name', /Not_A_Name/],
  ['run IMG --no-such-flag', /no-such-flag/],
  ['run --no-such-flag IMG', /no-such-flag/],
  ['run --net=default,host IMG', /^run: --net=default,host: host stands alone$/m],
  ['run --net --net IMG', /^run: --net=default,default: network "default" is given twice$/m],
  ['run --net=a:IP IMG', /^run: --net=a:IP: "IP" is no argument such as IP=10\.1\.2\.3$/m],
  ['run IMG --supplementary-gids=x', /supplementary-gids/],
  ['run IMG --memory=lots', /lots/],
  ['run IMG --memory=500m', /memory/],
  ['run IMG --cpu=many', /many/],
  ['run IMG --seccomp=read', /^run: --seccomp: mode=retain or mode=remove is required/m],
  [
    'run IMG --seccomp=mode=retain,read --seccomp=mode=remove,mount',
    /^run: --seccomp: an app has one filter$/m,
  ],
  ['run IMG --seccomp=profile=@absent', /absent/],
  ['run IMG --seccomp=profile=@pod-broken', /^run: --seccomp: .*pod-broken: not JSON/m],
  ['run IMG --seccomp=mode=retain', /^run: --seccomp: set: must not be empty$/m],
  ['run IMG --user=', /^run: --user: must not be empty$/m],
  ['run IMG --group=', /^run: --group: must not be empty$/m],
  ['run IMG --cpu=0', /^run: --cpu: 0 is less than 1m/m],
  ['run IMG --cpu-shares=', /^run: --cpu-shares: expected an integer from 2 to 262144, got ""$/m],
  [`run IMG --pids-limit=${'9'.repeat(400)}`, /^run: --pids-limit: expected an integer .*, got "99999/m],
  ['run IMG --caps-retain=', /^run: --caps-retain: \[0\]: must not be empty$/m],
  ['run --sysctl=net.core.somaxconn= IMG', /^run: --sysctl: "net.core.somaxconn=" is not NAME=VALUE$/m],
  [`run --dns=1.1.1.1 --dns-search=${'a'.repeat(256)} IMG`, /^run: --dns-search: "a+" is no word$/m],
  [`run --hosts-entry=1.1.1.1=${'a'.repeat(254)} IMG`, /^run: did not understand --hosts-entry 1/m],
  [`run --pod-name=${'a'.repeat(100_000)} IMG`, /\.\.\. \(\d+ characters more\)$/m],
  ['run IMG --environment=NOVALUE', /NOVALUE/],
  ['run --set-env=NOVALUE IMG', /NOVALUE/],
  ['run --set-env-file=@env-twice IMG', /A/],
  ['run --set-env-file=@env-broken IMG', /no equals sign/],
  ['run --set-env-file=@absent IMG', /absent/],
  ['run --pod-manifest=@absent', /absent/],
  ['run --pod-manifest=@pod-broken', /pod-broken/],
  ['run --pod-manifest=@pod-kind', /PodManifest/],
  ['run --pod-manifest=@pod-empty', /app/],
  ['run --pod-manifest=@pod-empty IMG', /conflicting flags set with --pod-manifest/],
  ['run --uuid-file-save=@no/such/directory IMG', /directory/],
  ['run --hostname=not_a_host! IMG', /not_a_host!/],
  ['run --stage1-name=a --stage1-path=b IMG', /mutually exclusive/],
  ['run --stage1-path=@absent IMG', /absent/],
  ['run --stage1-hash=sha512-0000 IMG', /no image IDs found/],
  ['--dir= list', /dir/],
  ['--insecure-options=everything list', /everything/],
  ['rm', /UUID/],
  ['rm zz', /no matches found for "zz"/],
  [`rm ${UNKNOWN}`, /no matches found/],
  ['status', /UUID/],
  [`status ${UNKNOWN}`, /no matches found/],
  [`status --wait=soon ${UNKNOWN}`, /soon/],
  ['status --uuid-file=@absent', /absent/],
  ['cat-manifest', /UUID/],
  [`cat-manifest ${UNKNOWN}`, /no matches found/],
  ['gc --grace-period=forever', /forever/],
  ['list --format=xml', /xml/],
  ['no-such-command', /no-such-command/],
];

describe('what is refused: one message, exit code 254, no stack trace, nothing left', () => {
  test.each(REFUSED)('%s', async (line, message) => {
    const words = line.split(' ').map((word) => (word === 'IMG' ? image : word.replace('@', `${rkt.root}/`)));
    const { code, stdout, stderr } = await rkt.run(words);
    expect({ code, stdout }).toEqual({ code: 254, stdout: '' });
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/^\s+at |node:internal|Error:/m);
    expect(stderr.trim().split('\n').length).toBeLessThan(6);
    expect(podDirectories(rkt.dir).filter((path) => path.includes('/run/'))).toEqual([]);
  });

  // Only the stage1 looks into the image: a pod that has exited is left, as from any other failed start.
  test.each(['user', 'group'])('a %s that the image does not have', async (kind) => {
    const { code, stdout, stderr } = await rkt.run(['run', '--net=none', image, `--${kind}=nobody-here`]);
    expect({ code, stdout }).toEqual({ code: 254, stdout: '' });
    expect(stderr).toMatch(/nobody-here/);
    expect((await rkt.list()).filter(({ state }) => state === 'exited')).toHaveLength(1);
    await rkt.output(['gc', '--grace-period=0s']);
  });

  test('no subcommand: exit code 2 and the help', async () => {
    const { code, stdout, stderr } = await rkt.startArgv([RKT]).finished;
    expect(code).toBe(2);
    expect(stdout + stderr).toMatch(/missing command/);
    expect(stdout + stderr).toMatch(/list/);
  });

  test('an unprivileged user is told so', async () => {
    const argv = rkt.argv(['run', image]);
    // Whoever may not read the clone cannot start it at all: then there is nothing to tell.
    const { code, stderr } = await rkt.startArgv([
      'setpriv',
      '--reuid=65534',
      '--regid=65534',
      '--clear-groups',
      ...argv,
    ]).finished;
    expect([254, 126, 127, 1]).toContain(code);
    if (code === 254) expect(stderr).toMatch(/cannot run as unprivileged user/);
  });
});
