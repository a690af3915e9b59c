import { beforeAll, describe, expect, test } from 'vitest';
import { FLAVOURS, FLY } from '../support/flavours.ts';
import { tinyImages } from '../support/images.ts';
import { useRkt } from '../support/rkt.ts';
import { startPod, startSandbox, useRunningPods } from '../support/running-pod.ts';

// Whom an app lets read what it writes.

const rkt = useRkt();
const pods = useRunningPods();
let image = '';
beforeAll(async () => {
  image = (await tinyImages()).aci.plain;
});

const LOOK = 'umask; touch /file; mkdir /directory; stat -c %a /file /directory; rm -r /file /directory';
const LOOP = 'while :; do sleep 0.1; done';

describe.each([...FLAVOURS, FLY])('$name', ({ image: stage1, mutablePods }) => {
  const STAGE1 = `--stage1-path=${stage1}`;
  const shell = (script: string) => ['--exec=/bin/sh', '--', '-c', script];

  test('run: the app has it, and what is entered', async () => {
    const pod = await startPod(rkt, [STAGE1, image, '--umask=027', ...shell(`(${LOOK}) > /seen; ${LOOP}`)]);
    pods.push(pod);
    const enter = async (script: string) => await rkt.output(['enter', pod.uuid, '/bin/sh', '-c', script]);
    expect(await enter(LOOK)).toBe('0027\n640\n750\n');
    expect(await enter('until [ -e /seen ]; do sleep 0.1; done; cat /seen')).toBe('0027\n640\n750\n');
    const [app] = JSON.parse(await rkt.output(['cat-manifest', pod.uuid])).apps;
    expect(app.annotations).toContainEqual({ name: 'coreos.com/rkt/app/umask', value: '0027' });
  });

  test('prepare: it is kept; without the flag it is 022', async () => {
    const uuid = (await rkt.output(['prepare', STAGE1, image, '--umask=7', ...shell('umask')])).trim();
    expect(await rkt.output(['run-prepared', '--net=none', uuid])).toBe('0007\n');
    expect(await rkt.output(['run', '--net=none', STAGE1, image, ...shell('umask')])).toBe('0022\n');
  });

  test.runIf(mutablePods)('app add: of each app its own', async () => {
    const pod = await startSandbox(rkt, [STAGE1]);
    pods.push(pod);
    await rkt.output(['fetch', image]);
    for (const mask of ['0', '077']) {
      const name = `--name=app${mask}`;
      const flags = [name, `--umask=${mask}`, ...shell(LOOP)];
      await rkt.output(['app', 'add', pod.uuid, 'example.com/tiny', ...flags]);
      await rkt.output(['app', 'start', pod.uuid, `--app=app${mask}`]);
      const exec = ['app', 'exec', `--app=app${mask}`, pod.uuid, '/bin/sh', '-c', 'umask'];
      expect(await rkt.output(exec)).toBe(`${mask.padStart(4, '0')}\n`);
    }
  });
});

test.each(['8', '1000', '-1', 'u=rwx', ''])('--umask=%s is refused', async (mask) => {
  expect(await rkt.run(['run', '--net=none', image, `--umask=${mask}`])).toMatchObject({
    code: 254,
    stderr: `run: --umask: ${JSON.stringify(mask)} is no file mode mask: an octal number from 0 to 777\n`,
  });
});
