import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { openDirectory } from '../../src/os/descriptor.ts';
import { setXattr } from '../../src/os/file-attributes.ts';
import { FLAVOURS } from '../support/flavours.ts';
import { aciOf } from '../support/image-files.ts';
import { tinyImages } from '../support/images.ts';
import { eventually } from '../support/polling.ts';
import { savedUuid, useRkt } from '../support/rkt.ts';
import { endPod, startPod, useRunningPods } from '../support/running-pod.ts';
import * as tar from '../support/tar-archive.ts';
import { TerminalCommand } from '../support/terminal.ts';
import { treeListing } from '../support/tree-listing.ts';

const rkt = useRkt();
const pods = useRunningPods();
const LOOP = 'while :; do sleep 0.1; done';
let image = '';
beforeAll(async () => {
  image = (await tinyImages()).aci.plain;
});

/** All that files may be, made where nobody else is. */
function makeTree(tree: string): void {
  mkdirSync(join(tree, 'dir/below'), { recursive: true });
  writeFileSync(join(tree, 'dir/file'), 'content');
  chownSync(join(tree, 'dir/file'), 1234, 5678);
  chmodSync(join(tree, 'dir/file'), 0o6751);
  linkSync(join(tree, 'dir/file'), join(tree, 'hard'));
  symlinkSync('/etc/passwd', join(tree, 'link'));
  writeFileSync(Buffer.concat([Buffer.from(`${tree}/`), Buffer.from([0xff, 0x0a])]), 'odd name');
  const long = join(tree, 'n'.repeat(150), 'm'.repeat(150));
  mkdirSync(long, { recursive: true });
  writeFileSync(join(long, 'f'.repeat(200)), 'far');
  writeFileSync(join(tree, 'large'), Buffer.alloc(300_001, 'ab'));
  writeFileSync(join(tree, 'sparse'), 'data');
  truncateSync(join(tree, 'sparse'), 50_000_000);
  execFileSync('mkfifo', ['-m', '640', join(tree, 'fifo')]);
  chmodSync(join(tree, 'dir/below'), 0o1700);
  using directory = openDirectory(join(tree, 'dir'));
  setXattr(directory, 'user.mark', Buffer.from('kept'));
}

const refusal = async (args: readonly string[]) => {
  const { code, stdout, stderr } = await rkt.run(['cp', ...args]);
  expect({ code, stdout }).toEqual({ code: 254, stdout: '' });
  expect(stderr).toMatch(/^cp: [^\n]*\n$/);
  return stderr.slice('cp: '.length, -1);
};

describe.each(FLAVOURS)('$name: a running app', ({ name }) => {
  const here = (file: string) => join(rkt.path(name), file);
  let uuid = '';
  const inside = (script: string) => rkt.output(['enter', uuid, '/bin/sh', '-c', script]);
  beforeAll(async () => {
    mkdirSync(here(''));
    const flags = [`--stage1-from-dir=${name}.aci`, image, '--name=web', '--exec=/bin/sh'];
    const pod = await startPod(rkt, [...flags, '--', '-c', LOOP]);
    pods.push(pod);
    uuid = pod.uuid;
  });

  test('takes a tree, sees it at once, and gives it back as it was', async () => {
    const tree = here('tree');
    makeTree(tree);
    await rkt.output(['cp', tree, `${uuid.slice(0, 8)}:/srv`]);
    expect(await inside('cat /srv/dir/file; stat -c "%u:%g %a" /srv/hard; stat -c %s /srv/sparse')).toBe(
      'content1234:5678 6751\n50000000\n',
    );
    await rkt.output(['cp', '--archive', `${uuid}:/srv`, here('back')]);
    expect(treeListing(here('back'))).toEqual(treeListing(tree));
  });

  test('has its files changed under it: what it has read before, it reads anew', async () => {
    const file = here('news');
    writeFileSync(file, 'old');
    await rkt.output(['cp', file, `${uuid}:/root/news`]);
    expect(await inside('cat /root/news')).toBe('old');
    writeFileSync(file, 'newer');
    await rkt.output(['cp', file, `${uuid}:/root/news`]);
    expect(await inside('cat /root/news')).toBe('newer');
    await inside('echo -n newest > /root/news');
    await rkt.output(['cp', `${uuid}:/root/news`, file]);
    expect(readFileSync(file, 'utf8')).toBe('newest');
  });

  test('places what is copied as cp does', async () => {
    const at = (path: string) => join(here('places'), path);
    mkdirSync(at('there'), { recursive: true });
    await inside('mkdir -p /places/d /places/there; echo one > /places/d/one');
    const out = (path: string, to: string) => rkt.output(['cp', `${uuid}:${path}`, at(to)]);
    await out('/places/d', 'there');
    await out('/places/d', 'new');
    await out('places/d/.', 'there');
    await out('/places/d/one', 'there/');
    await out('/places/d/one', 'renamed');
    await out('/places/d/', 'slash');
    const found = execFileSync('find', ['.', '-type', 'f'], { cwd: at(''), encoding: 'utf8' }).split('\n');
    expect(found.sort().slice(1)).toEqual([
      ...['./new/one', './renamed', './slash/one', './there/d/one', './there/one'],
    ]);
    for (const [from, to] of [
      [at('new'), '/places/there'],
      [at('new'), '/places/new'],
      [`${at('new')}/.`, '/places/there'],
      [at('new/one'), '/places/renamed'],
    ] as const)
      await rkt.output(['cp', from, `${uuid}:${to}`]);
    expect(await inside('cd /places; find . -type f | sort')).toBe(
      './d/one\n./new/one\n./renamed\n./there/new/one\n./there/one\n',
    );
  });

  test('gives a tar to a pipe, and takes one, compressed or not, of any tar’s making', async () => {
    const { code, stdout } = await rkt.startArgv([
      ...['/bin/sh', '-c', '"$@" | tar -tv --numeric-owner', 'sh'],
      ...rkt.argv(['cp', `${uuid}:/dev`, '-']),
    ]).finished;
    expect(code).toBe(0);
    expect(stdout).toMatch(/^crw-rw-rw- 0\/0 +1,3 .* dev\/null$/m);
    const directory = here('to-pack');
    mkdirSync(join(directory, 'packed/sub'), { recursive: true });
    writeFileSync(join(directory, 'packed/sub/file'), 'from a tar');
    for (const [flags, target] of [
      ['-c', '/home'],
      ['-cz', '/tmp'],
    ]) {
      const script = `tar ${flags} -C "$0" --format=gnu packed | "$@"`;
      const argv = ['/bin/sh', '-c', script, directory, ...rkt.argv(['cp', '-', `${uuid}:${target}`])];
      expect(await rkt.startArgv(argv).finished).toMatchObject({ code: 0, stdout: '', stderr: '' });
      expect(await inside(`cat ${target}/packed/sub/file`)).toBe('from a tar');
    }
  });

  test('is where a path ends, whatever its links say', async () => {
    await inside('ln -s / /root/up; ln -s ../../../../../.. /root/dots; ln -s /etc/passwd /root/passwd');
    const passwd = await inside('cat /etc/passwd');
    for (const path of ['/root/up/etc/passwd', '/root/dots/etc/passwd', '/../../../etc/passwd']) {
      await rkt.output(['cp', `${uuid}:${path}`, here('passwd')]);
      expect(readFileSync(here('passwd'), 'utf8')).toBe(passwd);
    }
    // A link at the end is copied as one, and one that stood in its way goes.
    symlinkSync('/nowhere', here('link'));
    await rkt.output(['cp', `${uuid}:/root/passwd`, here('link')]);
    expect(readlinkSync(here('link'))).toBe('/etc/passwd');
    writeFileSync(here('inner'), 'inner');
    await rkt.output(['cp', here('inner'), `${uuid}:/root/dots/tmp/inner`]);
    expect(await inside('cat /tmp/inner')).toBe('inner');
    expect(existsSync('/tmp/inner')).toBe(false);
  });

  test('gives this host neither its owners nor its rights, nor devices, unless asked', async () => {
    await inside('echo x > /tmp/suid; chown 1000:2000 /tmp/suid; chmod 6755 /tmp/suid');
    await rkt.output(['cp', `${uuid}:/tmp/suid`, here('plain')]);
    const plain = statSync(here('plain'));
    expect([plain.uid, plain.gid, plain.mode & 0o7777]).toEqual([0, 0, 0o755]);
    await rkt.output(['cp', '--archive', `${uuid}:/tmp/suid`, here('kept')]);
    const kept = statSync(here('kept'));
    expect([kept.uid, kept.gid, kept.mode & 0o7777]).toEqual([1000, 2000, 0o6755]);
    const { code, stderr } = await rkt.run(['cp', '--archive', `${uuid}:/dev`, here('dev')]);
    expect(code).toBe(0);
    expect(stderr).toContain('cp: "dev/null" is left out: is a device\n');
    expect(readdirSync(here('dev'))).not.toContain('null');
    expect(lstatSync(join(here('dev'), 'stdin')).isSymbolicLink()).toBe(true);
  });

  test('is told what cannot be copied', async () => {
    writeFileSync(here('file'), '');
    expect(await refusal([`${uuid}:/none`, here('x')])).toMatch(/^ENOENT: .*none/);
    expect(await refusal([`${uuid}:/none/x`, here('x')])).toMatch(/^ENOENT: .*none/);
    expect(await refusal([here('none'), `${uuid}:/tmp`])).toMatch(/^ENOENT: .*none/);
    expect(await refusal([here('file'), `${uuid}:/none/`])).toBe('no such directory: "/none/"');
    // Whose bytes nobody takes is not to blame.
    writeFileSync(here('large'), Buffer.alloc(5_000_000));
    expect(await refusal([here('large'), `${uuid}:/none/`])).toBe('no such directory: "/none/"');
    expect(await refusal([rkt.root, `${uuid}:/etc/passwd`])).toBe(
      '"/etc/passwd" is there and is no directory',
    );
    expect(await refusal([`${uuid}:/etc`, here('file')])).toMatch(/file" is there and is no directory$/);
    expect(await refusal([here('file'), `${uuid}:/dev/null`])).toBe('"/dev/null" is there and is no file');
    execFileSync('mkfifo', [here('fifo')]);
    expect(await refusal([`${uuid}:/etc/passwd`, here('fifo')])).toMatch(/fifo" is there and is no file$/);
    expect(lstatSync(here('fifo')).isFIFO()).toBe(true);
    expect(existsSync(here('x'))).toBe(false);
  });

  test('that stands still copies nothing', async () => {
    await rkt.output(['pause', uuid]);
    expect(await refusal([`${uuid}:/etc`, here('x')])).toBe('the pod is paused');
    await rkt.output(['resume', uuid]);
    await rkt.output(['cp', `${uuid}:/etc/passwd`, here('resumed')]);
  });

  test('that goes ends the copy', async () => {
    const flags = [`--stage1-from-dir=${name}.aci`, image, '--exec=/bin/sh', '--', '-c', LOOP];
    const pod = await startPod(rkt, flags);
    const processes = ['enter', pod.uuid, '/bin/sh', '-c', 'ls -d /proc/[0-9]* | wc -l'];
    const quiet = Number(await rkt.output(processes));
    const command = rkt.start(['cp', '-', `${pod.uuid}:/tmp`], { input: 'open' });
    await eventually('the guest copies', async () => Number(await rkt.output(processes)) > quiet);
    await endPod(pod);
    const { code, stderr } = await command.finished;
    expect({ code, stderr }).toEqual({ code: 254, stderr: expect.stringMatching(/^cp: [^\n]*\n$/) });
  });

  test('keeps nobody when the command is killed', async () => {
    const count = async () => Number(await inside('ls -d /proc/[0-9]* | wc -l'));
    // Who has counted, or copied before, may still be ending.
    const before = Math.min(await count(), await count(), await count());
    const command = rkt.start(['cp', '-', `${uuid}:/tmp`], { input: 'open' });
    await eventually('the guest copies', async () => (await count()) > before);
    command.signal('SIGKILL');
    await command.finished;
    await eventually('nobody copies', async () => (await count()) === before);
  });

  test('is no place for a tar from a terminal’s point of view', async () => {
    const terminal = new TerminalCommand(rkt, rkt.argv(['cp', `${uuid}:/etc`, '-']));
    expect((await terminal.finished).code).toBe(254);
    expect(terminal.shown).toContain('cp: a tar is not for a terminal: redirect it');
  });
});

test('an app without tar, shell or anything is copied to and from', async () => {
  const file = rkt.path('bare.aci');
  const app = { exec: ['/sleep', '1000'], user: '0', group: '0' };
  const program = tar.file('rootfs/sleep', readFileSync('/bin/busybox'), { mode: 0o755 });
  writeFileSync(file, aciOf({ name: 'example.com/bare', app }, program));
  const pod = await startPod(rkt, [file, '--user=1000', '--group=1000']);
  pods.push(pod);
  writeFileSync(rkt.path('given'), 'given');
  await rkt.output(['cp', rkt.path('given'), `${pod.uuid}:/given`]);
  await rkt.output(['cp', `${pod.uuid}:/given`, rkt.path('returned')]);
  expect(readFileSync(rkt.path('returned'), 'utf8')).toBe('given');
});

test('of several apps one is named', async () => {
  const script = ['--exec=/bin/sh', '--', '-c', 'hostname > /tmp/mine; trap exit TERM; '.concat(LOOP)];
  const pod = await startPod(rkt, [image, '--name=one', ...script, '---', image, '--name=two', ...script]);
  writeFileSync(rkt.path('for-two'), 'two');
  expect(await refusal([rkt.path('for-two'), `${pod.uuid}:/tmp`])).toBe(
    'pod contains multiple apps: one, two: specify app using "rkt cp --app= ..."',
  );
  await rkt.output(['cp', '--app=two', rkt.path('for-two'), `${pod.uuid}:/tmp`]);
  expect(await rkt.output(['enter', '--app=two', pod.uuid, '/bin/cat', '/tmp/for-two'])).toBe('two');
  expect(await refusal(['--app=one', `${pod.uuid}:/tmp/for-two`, rkt.path('x')])).toMatch(/^ENOENT/);
  await endPod(pod);
  await rkt.output(['cp', '--app=two', `${pod.uuid}:/tmp/for-two`, rkt.path('from-two')]);
  expect(readFileSync(rkt.path('from-two'), 'utf8')).toBe('two');
  expect(await refusal([`${pod.uuid}:/tmp/for-two`, rkt.path('x')])).toContain('multiple apps: one, two');
});

describe.each([[[]], [['--no-overlay']]])('of a pod that has exited, run with %j', (flags) => {
  test('files are read, and none are written', async () => {
    const file = rkt.path(`uuid-${flags.length}`);
    const script =
      'mkdir /d; echo one > /d/one; ln -s / /d/up; rm /etc/group; mkfifo /d/fifo; chmod 4755 /d/one';
    const app = [image, '--exec=/bin/sh', '--', '-c', script];
    await rkt.run(['run', '--net=none', ...flags, `--uuid-file-save=${file}`, ...app]);
    const uuid = savedUuid(file) ?? '';
    const target = rkt.path(`exited-${flags.length}`);
    await rkt.output(['cp', `${uuid}:/d`, target]);
    expect(readdirSync(target).sort()).toEqual(['fifo', 'one', 'up']);
    expect(statSync(join(target, 'one')).mode & 0o7777).toBe(0o755);
    expect(readlinkSync(join(target, 'up'))).toBe('/');
    await rkt.output(['cp', `${uuid}:/d/up/d/up/etc/passwd`, target]);
    expect(readFileSync(join(target, 'passwd'), 'utf8')).toMatch(/^alice:/m);
    expect(await refusal([`${uuid}:/etc/group`, target])).toMatch(/^ENOENT/);
    expect(await refusal([target, `${uuid}:/tmp`])).toBe(`pod "${uuid}" isn't currently running`);
    const listed = await rkt.startArgv([
      ...['/bin/sh', '-c', '"$@" | tar -t', 'sh'],
      ...rkt.argv(['cp', `${uuid}:/d/.`, '-']),
    ]).finished;
    expect(listed.stdout).toBe('./\nfifo\none\nup\n');
  });
});

describe('the command line', () => {
  test.each([
    [['a', 'b'], 'one of the two must be UUID:PATH, the other a path of this host or -'],
    [['a:/x', 'b:/y'], 'one of the two must be UUID:PATH, the other a path of this host or -'],
    [['zz:/x', 'y'], 'no matches found for "zz"'],
    [['a:/x'], "missing required argument 'DESTINATION'"],
    [['--app', 'x'], 'missing required argument'],
  ])('%j is refused', async (args, message) => {
    expect(await refusal(args)).toContain(message);
  });

  test('a prepared pod has no files yet, and nobody but root copies', async () => {
    const uuid = (await rkt.output(['prepare', image])).trim();
    expect(await refusal([`${uuid}:/etc`, rkt.path('x')])).toBe(
      `pod "${uuid}" has no files to copy: its state is prepared`,
    );
    expect(await refusal([`${uuid}:`, rkt.path('x')])).toBe('no path in the pod is given');
    await rkt.output(['rm', uuid]);
    const drop = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
    const { code, stderr } = await rkt.startArgv([...drop, ...rkt.argv(['cp', 'a:/b', 'c'])]).finished;
    // Whoever may not read the clone cannot start it at all: then there is nothing to tell.
    expect([254, 126, 127, 1]).toContain(code);
    if (code === 254) expect(stderr).toBe('cp: cannot run as unprivileged user\n');
  });
});
