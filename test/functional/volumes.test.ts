import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { VOLUME_IDS } from '../../src/abi/volume-plan.ts';
import { FLY, VARIANTS } from '../support/flavours.ts';
import { tinyImages } from '../support/images.ts';
import { LayoutWriter } from '../support/layout-writer.ts';
import { eventually } from '../support/polling.ts';
import { useRkt } from '../support/rkt.ts';
import { endPod, startPod, startSandbox, useRunningPods } from '../support/running-pod.ts';
import { tool } from '../support/tool.ts';

const rkt = useRkt();
const pods = useRunningPods();
const LOOP = 'while :; do sleep 0.1; done';
let image = '';
beforeAll(async () => {
  image = (await tinyImages()).aci.plain;
});

/** A directory of the host's, which is the pod's root's. */
function source(...names: readonly string[]): string {
  const path = rkt.path(names.join('-'));
  mkdirSync(path);
  chownSync(path, VOLUME_IDS.first, VOLUME_IDS.first);
  return path;
}

const shell = (script: string) => ['--exec=/bin/sh', '--', '-c', script];
const host = (name: string, path: string, more = '') => `--volume=${name},kind=host,source=${path}${more}`;
const mount = (name: string, target: string) => `--mount=volume=${name},target=${target}`;
const ownerOf = (path: string) => [statSync(path).uid, statSync(path).gid];
const ROOT = [VOLUME_IDS.first, VOLUME_IDS.first];

describe.each(VARIANTS)('$name', (flavour) => {
  const stage1 = [`--stage1-path=${flavour.image}`, ...flavour.flags];
  const run = (...args: readonly string[]) =>
    rkt.run(['run', '--net=none', ...stage1, ...args], { timeoutSeconds: 300 });
  const name = (word: string) => `${flavour.name}-${word}`;

  describe('a host’s directory', () => {
    test('is the same on both sides, whoever changes it, and is looked at by enter and cp', async () => {
      const path = source(name('both'));
      writeFileSync(join(path, 'first'), 'of the host\n');
      chownSync(join(path, 'first'), VOLUME_IDS.first, VOLUME_IDS.first);
      const pod = await startPod(rkt, [...stage1, host('v', path), image, mount('v', '/v'), ...shell(LOOP)]);
      pods.push(pod);
      const inside = async (script: string) =>
        (await rkt.run(['enter', pod.uuid, '/bin/sh', '-c', script])).stdout;
      expect(await inside('cat /v/first; echo of the pod > /v/second; mkdir /v/d; mv /v/first /v/d')).toBe(
        'of the host\n',
      );
      expect(readFileSync(join(path, 'second'), 'utf8')).toBe('of the pod\n');
      expect(readFileSync(join(path, 'd/first'), 'utf8')).toBe('of the host\n');
      // What a guest has seen it may believe for a second.
      writeFileSync(join(path, 'second'), 'changed by the host, longer\n');
      await eventually(
        'the change is seen',
        async () => (await inside('cat /v/second')) === 'changed by the host, longer\n',
      );
      writeFileSync(join(path, 'third'), '');
      rmSync(join(path, 'd'), { recursive: true });
      await eventually('names are seen', async () => (await inside('ls /v')) === 'second\nthird\n');
      await rkt.output(['cp', `${pod.uuid}:/v/second`, rkt.path(name('copied'))]);
      expect(readFileSync(rkt.path(name('copied')), 'utf8')).toBe('changed by the host, longer\n');
      const [inspected] = JSON.parse(await rkt.output(['inspect', pod.uuid]));
      expect(inspected.volumes).toMatchObject({
        volumes: [{ kind: 'host', key: 'v', source: path, readOnly: false, idMap: null }],
        mounts: [{ app: 'tiny', volume: 'v', target: '/v' }],
      });
      await endPod(pod);
    });

    test('of root’s that is empty becomes the pod’s root’s; others are read, and the reason is told', async () => {
      const empty = rkt.path(name('empty'));
      const full = rkt.path(name('full'));
      for (const path of [empty, full]) mkdirSync(path);
      writeFileSync(join(full, 'readable'), 'readable\n');
      writeFileSync(join(full, 'secret'), 'secret\n');
      chmodSync(join(full, 'secret'), 0o600);
      const flags = [host('empty', empty), host('full', full), mount('empty', '/e'), mount('full', '/f')];
      const script = 'echo x > /e/x; cat /f/readable; cat /f/secret || echo no; touch /f/new || echo no';
      const { stdout, stderr, code } = await run(...flags, image, ...shell(script));
      expect({ code, stdout }).toEqual({ code: 0, stdout: 'readable\nno\nno\n' });
      expect([ownerOf(empty), ownerOf(join(empty, 'x'))]).toEqual([ROOT, ROOT]);
      expect([ownerOf(full), readdirSync(full)]).toEqual([
        [0, 0],
        ['readable', 'secret'],
      ]);
      expect(stderr).toContain(
        `volume full: ${full} belongs to user 0 of the host, who is nobody in the pod`,
      );
      expect(stderr).not.toContain('volume empty');
    });

    test('keeps the ids of its files where that is asked for, which is told; read-only it always does', async () => {
      const path = rkt.path(name('plain'));
      mkdirSync(path);
      writeFileSync(join(path, 'secret'), 'secret\n');
      chmodSync(join(path, 'secret'), 0o600);
      const flags = [
        host('v', path, ',idmap=none'),
        host('r', path, ',readOnly=true'),
        mount('v', '/v'),
        mount('r', '/r'),
      ];
      const script =
        'cat /v/secret /r/secret; echo x > /v/x; touch /r/y || echo no; stat -c %u /v/secret /r/x';
      const { stdout, stderr } = await run(...flags, image, ...shell(script));
      expect(stdout).toBe('secret\nsecret\nno\n0\n0\n');
      expect(ownerOf(join(path, 'x'))).toEqual([0, 0]);
      expect(stderr).toContain('volume v: idmap=none: what apps leave in');
      expect(stderr).not.toContain('volume r');
    });
  });

  test('an empty volume is shared by apps, of the mode and owner that are asked for, and goes with the pod', async () => {
    const flags = ['--volume=shared,kind=empty,mode=1770,uid=5,gid=6', mount('shared', '/s')];
    const wait = 'while [ ! -e /s/word ]; do sleep 0.1; done; cat /s/word';
    const write = 'stat -c "%a %u %g" /s; echo word > /s/.tmp; mv /s/.tmp /s/word';
    const file = rkt.path(name('uuid'));
    const { stdout, code } = await run(
      ...[`--uuid-file-save=${file}`, ...flags, image, '--name=reader', ...shell(wait), '---'],
      ...[image, '--name=writer', ...shell(write)],
    );
    expect(code).toBe(0);
    expect(stdout).toContain('1770 5 6');
    expect(stdout).toContain('word');
    const directory = join(rkt.dir, 'pods/run', readFileSync(file, 'utf8'));
    expect(readFileSync(join(directory, 'sharedVolumes/shared/word'), 'utf8')).toBe('word\n');
    // Programs that apps have left there are within nobody's reach.
    expect(statSync(join(directory, 'sharedVolumes')).mode & 0o7777).toBe(0o700);
    await rkt.output(['rm', `--uuid-file=${file}`]);
    expect(existsSync(directory)).toBe(false);
  });

  test('mount points of an image without a volume get an empty one, an image of Docker with what it has there', async () => {
    const stage = rkt.path(name('docker'));
    mkdirSync(join(stage, 'data/deep'), { recursive: true });
    await tool('cp', ['-a', `${dirname(image)}/rootfs/.`, stage]);
    const make =
      'cd data; echo one > deep/one; ln deep/one two; ln -s deep/one link; mkfifo pipe; chown -h 7:8 . two; chmod 2750 .';
    execFileSync('sh', ['-ec', `cd "$0"; ${make}`, stage]);
    const tar = rkt.path(name('docker.tar'));
    await tool('tar', ['-C', stage, '-cf', tar, '.']);
    const layout = new LayoutWriter(rkt.path(name('layout')));
    const config = { Cmd: ['/bin/true'], Volumes: { '/data': {} } };
    const reference = layout.tag(layout.image({ layers: [readFileSync(tar)], config }), 'latest');
    const script = `cd /data; stat -c '%a %u %g' .; find . | sort; cat link; stat -c '%h %u %a' two; echo more >> two; grep -c ' /data ' /proc/self/mountinfo`;
    const { stdout, stderr, code } = await run(reference, ...shell(script));
    expect({ code, stdout, stderr: code === 0 ? '' : stderr }).toEqual({
      ...{ code: 0, stderr: '' },
      stdout: '2750 7 8\n.\n./deep\n./deep/one\n./link\n./pipe\n./two\none\n2 7 644\n1\n',
    });
    const point = '"volume-data"';
    expect(stderr).toContain(
      `run: warning: no volume specified for mount point ${point}, implicitly creating an "empty" volume. This volume will be removed when the pod is garbage-collected.`,
    );
    expect(stderr).toContain(
      `run: Docker converted image, initializing implicit volume with data contained at the mount point ${point}.`,
    );
    // One that is asked for takes its place, as it is.
    const asked = await run(
      '--volume=volume-data,kind=empty',
      reference,
      ...shell('ls -A /data; stat -c %a /data'),
    );
    expect(asked.stdout).toBe('755\n');
  });

  test('a pod manifest says what is where', async () => {
    const path = source(name('manifest'));
    writeFileSync(join(path, 'word'), 'from the host\n');
    const id = (await rkt.output(['fetch', '--full', image])).trim();
    const manifest = {
      ...{ acKind: 'PodManifest', acVersion: '0.8.11' },
      volumes: [
        { name: 'data', kind: 'host', source: path, readOnly: true },
        { name: 'e', kind: 'empty', mode: '0700' },
      ],
      apps: [
        {
          name: 'web',
          image: { id },
          app: {
            ...{
              exec: [
                '/bin/sh',
                '-c',
                'cat /point/word /mounted/word; touch /point/x; stat -c %a /e; ls /own',
              ],
              user: '0',
              group: '0',
            },
            mountPoints: [
              { name: 'data', path: '/point' },
              { name: 'e', path: '/e' },
            ],
          },
          mounts: [
            { volume: 'data', path: '/mounted' },
            {
              volume: 'mine',
              path: '/own',
              appVolume: { name: 'mine', kind: 'host', source: path, readOnly: true },
            },
          ],
        },
      ],
    };
    const file = rkt.path(name('manifest.json'));
    writeFileSync(file, JSON.stringify(manifest));
    const { stdout, stderr } = await run(`--pod-manifest=${file}`);
    expect(stdout).toBe('from the host\nfrom the host\n700\nword\n');
    expect(stderr).toContain('touch: /point/x: Read-only file system');
  });

  test('a volume over /etc/hosts or /etc/resolv.conf is that file, unless a flag says what it is', async () => {
    const path = source(name('etc'));
    for (const file of ['hosts', 'resolv.conf']) {
      writeFileSync(join(path, file), `# ${file} of a volume\n`);
      chownSync(join(path, file), VOLUME_IDS.first, VOLUME_IDS.first);
    }
    const flags = ['hosts', 'resolv.conf'].flatMap((file, n) => [
      host(`f${n}`, join(path, file)),
      mount(`f${n}`, `/etc/${file}`),
    ]);
    const script = 'cat /etc/hosts /etc/resolv.conf; echo more >> /etc/hosts';
    const { stdout } = await run(...flags, image, ...shell(script));
    expect(stdout).toBe('# hosts of a volume\n# resolv.conf of a volume\n');
    expect(readFileSync(join(path, 'hosts'), 'utf8')).toBe('# hosts of a volume\nmore\n');
    const own = ['--hosts-entry=10.0.0.1=one', '--dns=192.0.2.1'];
    const said = await run(
      ...own,
      ...flags,
      image,
      ...shell('grep one /etc/hosts; grep 192.0.2.1 /etc/resolv.conf; echo > /etc/hosts'),
    );
    expect(said.stdout).toBe('10.0.0.1\tone\nnameserver 192.0.2.1\n');
    expect(readFileSync(join(path, 'hosts'), 'utf8')).toContain('of a volume');
  });

  test('a link in a volume that leads nowhere inside is not taken for a file that is missing', async () => {
    const path = source(name('links'));
    const link = join(path, 'resolv.conf');
    symlinkSync('../run/systemd/resolve/stub-resolv.conf', link);
    const flags = ['--dns=192.0.2.1', host('v', path), mount('v', '/etc')];
    const { stdout } = await run(...flags, image, '--user=0', ...shell('grep 192.0.2 /etc/resolv.conf'));
    expect(stdout).toBe('nameserver 192.0.2.1\n');
    expect([readdirSync(path), readlinkSync(link)]).toEqual([
      ['resolv.conf'],
      '../run/systemd/resolve/stub-resolv.conf',
    ]);
  });

  test('nothing of a host’s directory goes with a pod, however that ends', async () => {
    const path = rkt.path(name('kept'));
    mkdirSync(join(path, 'd'), { recursive: true });
    writeFileSync(join(path, 'd/kept'), 'kept\n');
    const flags = [
      host('v', path, ',idmap=none'),
      mount('v', '/v'),
      '--volume=e,kind=empty',
      mount('e', '/e'),
    ];
    const pod = await startPod(rkt, [
      ...stage1,
      ...flags,
      '--no-overlay',
      image,
      ...shell(`touch /v/pod /e/x; ${LOOP}`),
    ]);
    await eventually('it has written', () => existsSync(join(path, 'pod')));
    pod.command.signal('SIGKILL');
    await pod.command.finished;
    await eventually('it is removed', async () => (await rkt.run(['rm', pod.uuid])).code === 0);
    expect(readFileSync(join(path, 'd/kept'), 'utf8')).toBe('kept\n');
    expect(readdirSync(path).sort()).toEqual(['d', 'pod']);
  });

  test('an app that comes to a pod brings its own, and takes them along', async () => {
    const path = source(name('added'));
    await rkt.output(['fetch', image]);
    const sandbox = [
      `--stage1-path=${flavour.image}`,
      ...flavour.flags.filter((flag) => flag !== '--net=none'),
    ];
    const pod = await startSandbox(rkt, sandbox);
    pods.push(pod);
    const add = async (word: string, ...volumes: readonly string[]) => {
      const flags = ['--name=web', ...volumes.map((volume) => `--mnt-volume=${volume}`)];
      await rkt.output([
        'app',
        'add',
        pod.uuid,
        'example.com/tiny',
        ...flags,
        ...shell(`echo ${word} > /v/${word}; ${LOOP}`),
      ]);
      await rkt.output(['app', 'start', pod.uuid, '--app=web']);
    };
    const look = () =>
      rkt.output(['app', 'exec', '--app=web', pod.uuid, '/bin/sh', '-c', 'ls /v; ls /e 2>/dev/null']);
    await add('one', `name=v,kind=host,source=${path},target=/../v`, 'e,kind=empty,target=/e');
    await eventually('it has written', () => existsSync(join(path, 'one')));
    await rkt.output(['app', 'exec', '--app=web', pod.uuid, '/bin/sh', '-c', 'touch /e/of-one']);
    expect(await look()).toBe('one\nof-one\n');
    const status = ['app', 'status', pod.uuid, '--app=web'];
    const directory = join(rkt.dir, 'pods/run', pod.uuid);
    const empty = join(directory, 'sharedVolumes/web.e');
    expect(readdirSync(empty)).toEqual(['of-one']);
    expect(await rkt.output(status)).toContain(
      `\nmounts=${path}:/v:(read_only:false),${empty}:/e:(read_only:false)\n`,
    );
    expect(JSON.parse(await rkt.output([...status, '--format=json'])).mounts).toEqual([
      { name: 'v', container_path: '/v', host_path: path, read_only: false },
      { name: 'e', container_path: '/e', host_path: empty, read_only: false },
    ]);
    await rkt.output(['app', 'rm', pod.uuid, '--app=web']);
    expect(readdirSync(join(directory, 'sharedVolumes'))).toEqual([]);
    expect(JSON.parse(readFileSync(join(directory, 'volumes.json'), 'utf8'))).toMatchObject({
      volumes: [],
      mounts: [],
    });
    // Another of the same name is another.
    const other = source(name('added-later'));
    await add('two', `v,kind=host,source=${other},target=/v`, 'e,kind=empty,target=/e');
    await eventually('it has written', () => existsSync(join(other, 'two')));
    expect(await look()).toBe('two\n');
    expect(readdirSync(path)).toEqual(['one']);
    await endPod(pod);
  });
});

describe('stage1-fly', () => {
  test('has no volume for a mount point that nobody gives one', async () => {
    const id = (await rkt.output(['fetch', '--full', image])).trim();
    const app = {
      exec: ['/bin/true'],
      user: '0',
      group: '0',
      mountPoints: [{ name: 'data', path: '/data' }],
    };
    const manifest = {
      acKind: 'PodManifest',
      acVersion: '0.8.11',
      apps: [{ name: 'web', image: { id }, app }],
    };
    const file = rkt.path('fly.json');
    const stage1 = `--stage1-path=${FLY.image}`;
    writeFileSync(file, JSON.stringify(manifest));
    const { code, stderr } = await rkt.run(['run', stage1, `--pod-manifest=${file}`]);
    expect({ code, stderr }).toEqual({ code: 254, stderr: 'run: no volume for the mount point "data"\n' });
    writeFileSync(file, JSON.stringify({ ...manifest, volumes: [{ name: 'data', kind: 'empty' }] }));
    expect((await rkt.run(['run', stage1, `--pod-manifest=${file}`])).code).toBe(0);
  });
});

describe('what is refused, before anything is made', () => {
  const refused: readonly [flags: readonly string[], message: string][] = [
    [['--volume=v,kind=host,source=no/where'], 'source must be an absolute path, not "no/where"'],
    [['--volume=v,kind=host,source=/no/where'], 'volume "v": ENOENT'],
    [['--volume=v,kind=host'], 'source is missing'],
    [['--volume=v,kind=strange'], 'unknown volume kind "strange"'],
    [['--volume=v,kind=empty', '--volume=v,kind=empty'], 'multiple volumes with name v'],
    [[mount('absent', '/x')], 'app tiny: could not find volume "absent"'],
    [['--volume=v,kind=empty', mount('v', '/')], 'a volume cannot be the whole file system'],
    [
      ['--volume=v,kind=empty', mount('v', '/x'), mount('v', '/x/../x/')],
      'volumes v and v overlap: /x and /x',
    ],
    [['--volume=v,kind=empty', mount('v', '/x'), mount('v', '/x/y')], 'volumes v and v overlap: /x and /x/y'],
    [['--mount=v'], '--mount: "v": "v" is not KEY=VALUE'],
  ];

  test.each(refused)('%j', async (flags, message) => {
    const { code, stderr, stdout } = await rkt.run(['run', ...flags, image]);
    expect({ code, stdout }).toEqual({ code: 254, stdout: '' });
    expect(stderr).toContain(message);
    expect(await rkt.list()).toEqual(
      expect.not.arrayContaining([expect.objectContaining({ state: 'preparing' })]),
    );
  });

  test('a source that has gone since a pod was prepared', async () => {
    const path = source('gone');
    const uuid = (await rkt.output(['prepare', host('v', path), image, mount('v', '/v')])).trim();
    rmSync(path, { recursive: true });
    const { code, stderr } = await rkt.run(['run-prepared', '--net=none', uuid]);
    expect(code).toBe(254);
    expect(stderr).toContain(`volume v: ENOENT: no such file or directory, openat '${path}'`);
  });

  test('ids that a file system cannot show', async () => {
    const { code, stderr } = await rkt.run([
      'run',
      '--net=none',
      host('v', '/proc'),
      image,
      mount('v', '/v'),
    ]);
    expect(code).toBe(254);
    expect(stderr).toContain(
      'volume v: /proc is, or has below it, a file system that cannot show other ids: say idmap=none',
    );
  });

  test('and a directory that is refused keeps its owner', async () => {
    const directory = rkt.path('ramfs');
    mkdirSync(directory);
    const script = 'mount -t ramfs none "$0"; "$@" 2>&1; echo $?; stat -c %u "$0"';
    const argv = rkt.argv(['run', '--net=none', host('v', directory), image, mount('v', '/v')]);
    const { stdout } = await rkt.startArgv(['unshare', '--mount', 'sh', '-c', script, directory, ...argv])
      .finished;
    expect(stdout).toMatch(/cannot show other ids: say idmap=none\n254\n0\n$/);
  });
});
