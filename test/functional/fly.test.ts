import { mkdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { writeFileImage } from '../support/file-image.ts';
import { FLY } from '../support/flavours.ts';
import { tinyImages } from '../support/images.ts';
import { useRkt } from '../support/rkt.ts';
import { tool } from '../support/tool.ts';

const rkt = useRkt();
let image = '';
beforeAll(async () => {
  image = (await tinyImages()).aci.plain;
});

const STAGE1 = `--stage1-path=${FLY.image}`;
const script = (text: string, ...flags: string[]) => [image, ...flags, '--exec=/bin/sh', '--', '-c', text];
const run = (...args: string[]) => rkt.run(['run', '--net=host', STAGE1, ...args]);
const output = (...args: string[]) => rkt.output(['run', '--net=host', STAGE1, ...args]);

describe('the app', () => {
  test('is in its own root and otherwise on the host, with all that root may do', async () => {
    const NAMESPACES = ['cgroup', 'ipc', 'net', 'pid', 'user', 'uts'];
    const look = `for n in ${NAMESPACES.join(' ')}; do readlink /proc/self/ns/$n; done; grep CapEff /proc/self/status; hostname`;
    const host = readFileSync('/proc/self/status', 'utf8');
    expect((await output(...script(look))).split('\n').slice(0, -1)).toEqual([
      ...NAMESPACES.map((name) => readlinkSync(`/proc/self/ns/${name}`)),
      /^CapEff:.*$/m.exec(host)?.[0],
      readFileSync('/proc/sys/kernel/hostname', 'utf8').trimEnd(),
    ]);
  });

  test('has the host’s /dev, /proc and /sys, and an empty /tmp of its own', async () => {
    const trees = ['/dev', '/proc', '/sys', '/sys/fs/cgroup'];
    const text = await output(
      ...script(`stat -c '%d:%i' ${trees.join(' ')}; ls -A /tmp; touch /tmp/x; stat -f -c %T /tmp`),
    );
    const host = trees.map((path) => statSync(path)).map(({ dev, ino }) => `${dev}:${ino}`);
    expect(text).toBe(`${[...host, 'tmpfs'].join('\n')}\n`);
  });

  test('has what its image and the flags say: environment, user, groups, directory', async () => {
    const look = 'pwd; id -u; id -g; id -G; echo $FROM $HOME $AC_APP_NAME $container $MORE; umask';
    const flags = ['--user=alice', '--group=crew', '--supplementary-gids=5,6', '--environment=MORE=more'];
    expect(await output(...script(look, '--name=web', ...flags))).toBe(
      '/home/alice\n1000\n2000\n2000 5 6\nimage /home/alice web rkt more\n0022\n',
    );
  });

  test('has the owner and the group of a file of its image, where a path says who it is', async () => {
    const [files, owned] = [rkt.path('files'), rkt.path('owned.aci')];
    mkdirSync(files);
    await writeFileImage(owned, { name: 'example.com/owned', exec: ['/bin/sh'], files });
    mkdirSync(rkt.path('rootfs'));
    writeFileSync(rkt.path('rootfs/mine'), '');
    const owner = ['--owner=4321', '--group=1234', '--numeric-owner'];
    await tool('tar', ['-C', rkt.root, ...owner, '-rf', owned, 'rootfs/mine']);
    const look = ['--exec=/bin/sh', '--', '-c', 'id -u; id -g; id -G'];
    expect(await output(owned, '--user=/mine', '--group=/mine', ...look)).toBe('4321\n1234\n1234\n');
    const absent = await run(owned, '--user=/absent', ...look);
    expect(absent).toMatchObject({ code: 254, stdout: '', stderr: expect.stringContaining('/absent') });
  });

  test('has a root that others have not written to, and cannot write to it where that was asked for', async () => {
    expect(await output(...script('echo mine > /mark; chmod 4755 /bin/busybox; cat /mark'))).toBe('mine\n');
    const look = 'ls /mark 2>&1; touch /probe 2>&1; echo fine > /tmp/x && cat /tmp/x';
    expect(await output(...script(look, '--readonly-rootfs=true'))).toBe(
      'ls: /mark: No such file or directory\ntouch: /probe: Read-only file system\nfine\n',
    );
  });

  test('has no file open but the caller’s streams: above all not the lock of its pod', async () => {
    const { stdout } = await rkt.run(['run', '--net=none', STAGE1, ...script('ls /proc/$$/fd; cat')], {
      input: 'typed\n',
    });
    expect(stdout).toBe('0\n1\n2\ntyped\n');
  });

  test.each([
    [['--exec=/bin/absent'], 203, 'app tiny: /bin/absent: no such file in the image'],
    [['--exec=absent'], 203, 'app tiny: absent: not found in PATH'],
    [['--working-dir=/absent'], 200, "ENOENT: no such file or directory, chdir '/absent'"],
    [['--user=nobody-here'], 254, 'user "nobody-here": it is not in the image'],
  ])('%j that is not there is said, and recorded', async (flags, code, message) => {
    const finished = await run(image, ...flags);
    expect({ code: finished.code, stdout: finished.stdout }).toEqual({ code, stdout: '' });
    expect(finished.stderr).toContain(message);
  });
});

describe('names', () => {
  const LOOK = 'cat /etc/resolv.conf; tail -2 /etc/hosts; echo more >> /etc/hosts && tail -1 /etc/hosts';

  test('are those that flags give', async () => {
    const flags = ['--dns=192.0.2.1', '--hosts-entry=10.0.0.1=one', '--hostname=box'];
    const { code, stdout, stderr } = await run(...flags, ...script(LOOK));
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: '# Generated by rkt run\n\nnameserver 192.0.2.1\n\n127.0.0.1\tbox\nmore\n',
    });
    expect(stderr).toBe("run: the host name box is ignored: the app has the host's own\n");
  });

  test('are those of the host, which the app cannot change', async () => {
    const look = 'cat /etc/hosts; echo more >> /etc/hosts';
    const { code, stdout } = await run('--hosts-entry=host', '--dns=host', ...script(look));
    expect({ code, stdout }).toEqual({ code: 1, stdout: readFileSync('/etc/hosts', 'utf8') });
  });
});

describe('what it cannot do', () => {
  test('is said, on stderr and to whoever looks at the pod', async () => {
    const file = rkt.path('without');
    const flags = [
      '--net=none',
      '--pod-name=fly',
      '--memory=1G',
      '--caps-retain=CAP_KILL',
      '--restart=always',
    ];
    const [net = '', name = '', ...app] = flags;
    const finished = await rkt.run(['run', STAGE1, `--uuid-file-save=${file}`, net, name, image, ...app]);
    const lines = [
      'isolator resource/memory is not enforced: stage1-fly isolates nothing',
      'isolator os/linux/capabilities-retain-set is not enforced: stage1-fly isolates nothing',
      "--net=none is ignored: the app is on the host's network",
      'app tiny: its restart policy is ignored',
    ];
    expect(finished).toMatchObject({ code: 0, stdout: 'hello from the image\n' });
    expect(finished.stderr.trimEnd().split('\n')).toEqual(lines.map((line) => `run: ${line}`));
    const uuid = readFileSync(file, 'utf8').trim();
    expect(JSON.parse(await rkt.output(['inspect', uuid]))).toMatchObject([{ warnings: lines }]);
  });

  test('is refused with --strict-isolators', async () => {
    const finished = await run('--strict-isolators', image, '--memory=1G');
    expect(finished).toMatchObject({
      code: 254,
      stdout: '',
      stderr: 'run: isolator resource/memory is not enforced: stage1-fly isolates nothing\n',
    });
  });

  test('is refused where a pod would be another one: of several apps, of apps that come and go', async () => {
    const several = await run(image, '--name=a', image, '--name=b');
    expect(several).toMatchObject({
      code: 254,
      stderr: 'run: stage1-fly runs pods of one app, not of 2\n',
    });
    const sandbox = await rkt.run(['app', 'sandbox', '--net=host', STAGE1]);
    expect(sandbox).toMatchObject({
      code: 254,
      stderr: 'run: stage1-fly has no pods whose apps come and go\n',
    });
  });
});

test('mounts that the app makes in the host’s trees are the host’s, as far as the host shares its own', async () => {
  // A host of its own, whose /dev/shm is: the machine's mounts are not touched.
  const host = 'mount -t tmpfs shm /dev/shm && "$@" && grep -c " /dev/shm/of-app " /proc/self/mountinfo';
  const inside = script(
    'mkdir /dev/shm/of-app && mount -t tmpfs of-app /dev/shm/of-app && mount -t tmpfs of-root /home',
  );
  const argv = ['unshare', '--mount', '--propagation=shared', 'sh', '-c', host, 'sh'];
  const rktArgv = rkt.argv(['run', '--net=none', STAGE1, ...inside]);
  const { code, stdout } = await rkt.startArgv([...argv, ...rktArgv]).finished;
  expect({ code, stdout }).toEqual({ code: 0, stdout: '1\n' });
  expect(await tool('cat', ['/proc/self/mountinfo'])).not.toContain('of-app');
});

test('a pod of copies, prepared before, runs as well', async () => {
  const uuid = (
    await rkt.output(['prepare', '--quiet', '--no-overlay', STAGE1, ...script('echo $0 > /mark; cat /mark')])
  ).trim();
  expect(await rkt.output(['run-prepared', '--net=host', uuid])).toBe('/bin/sh\n');
  expect(
    readFileSync(join(rkt.dir, 'pods/run', uuid, 'stage1/rootfs/opt/stage2/tiny/rootfs/mark'), 'utf8'),
  ).toBe('/bin/sh\n');
});
