import { copyFileSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildPackage } from '../../tools/package.ts';
import { rootDir } from '../../tools/paths.ts';
import { writeServiceImage } from '../support/notify-image.ts';
import { eventually } from '../support/polling.ts';
import { type SystemdContainer, startContainer } from '../support/systemd-container.ts';

/** Becomes ready when it is told to, by a file. */
const WEB = `
trap 'echo bye; exit 0' TERM
echo hello
say 'STATUS=waiting for the word'
until test -e /word; do sleep 0.1; done
say READY=1 STATUS=serving
while :; do sleep 0.1; done
`;
const START_SECONDS = 240;

/** Units in the manual: fenced, with their path in the first line. */
function documentedUnits(): Map<string, string> {
  const manual = readFileSync(join(rootDir, 'docs/systemd.md'), 'utf8');
  const blocks = [...manual.matchAll(/```ini\n# (\/etc\/systemd\/system\/\S+)\n(.*?)```/gs)];
  return new Map(blocks.map(([, path = '', text = '']) => [path, text]));
}

// In a container, not in a lab VM: there a pod's machine would be emulated by one that is emulated itself.
describe('the package, and pods as services of systemd', () => {
  let box: SystemdContainer;
  let deb: string;

  beforeAll(async () => {
    deb = await buildPackage();
    box = await startContainer();
    copyFileSync(deb, box.outside('/root/rkt.deb'));
    for (const [path, text] of documentedUnits()) box.put(path, text);
    const limits = '/etc/systemd/system/web.service.d';
    await box.sh(`mkdir ${limits}; printf '[Service]\\nLimitNOFILE=9000\\n' > ${limits}/limits.conf`);
    const images = [
      { name: 'example.com/web', script: WEB, notifies: true },
      { name: 'example.com/ticker', script: 'echo "tick [$NOTIFY_SOCKET]"; exec sleep 1000' },
      { name: 'example.com/socket', script: 'echo never', socketActivated: true },
    ];
    for (const image of images)
      await writeServiceImage(box.outside(`/root/${basename(image.name)}.aci`), image);
  });

  afterAll(() => box?.removed());

  const show = async (unit: string, property: string) =>
    (await box.sh(`systemctl show --value -p ${property} ${unit}`)).trim();
  const journal = (unit: string) => box.sh(`journalctl --sync; journalctl -u ${unit} -o cat --no-pager`);
  const becomes = (unit: string, property: string, value: string) =>
    eventually(
      `${property} of ${unit} is ${value}`,
      async () => (await show(unit, property)) === value,
      START_SECONDS,
    );

  it('is installed with all that it needs, and starts to collect pods', async () => {
    const { code, stderr } = await box.run(['dpkg', '-i', '/root/rkt.deb']);
    expect(code, stderr).toBe(0);
    expect(await box.sh('rkt version')).toMatch(/^rkt Version: /);
    // The container goes without documents.
    expect(await box.sh('dpkg --verify rkt | grep -v /usr/share/doc/ || true')).toBe('');
    expect(await box.sh('systemctl --failed --plain --no-legend')).toBe('');
    expect(await show('rkt-gc.timer', 'ActiveState')).toBe('active');
    expect(await box.sh('systemctl is-enabled rkt-gc.timer')).toBe('enabled\n');
    expect(await box.sh('ls /usr/lib/rkt/rkt.cjs.cache')).toMatch(/cache/);
  });

  it('has made its directories and groups as rkt itself makes them', async () => {
    const modes = 'find /var/lib/rkt -maxdepth 1 -printf "%m %u %g %p\\n" | sort -k4';
    const made = await box.sh(modes);
    expect(made).toMatch(/^2750 root rkt \/var\/lib\/rkt$/m);
    await box.sh('rm -r /var/lib/rkt; rkt --insecure-options=image fetch /root/*.aci');
    await box.sh('rkt rm $(rkt prepare example.com/socket:1.0.0)');
    expect((await box.sh(modes)).split('\n')).toEqual(expect.arrayContaining(made.split('\n')));
    expect(await box.sh('stat -c "%a %U %G" /etc/rkt')).toBe('2775 root rkt-admin\n');
  });

  it('completes command lines in a new bash', async () => {
    const load = '. /usr/share/bash-completion/bash_completion; _comp_load rkt || _completion_loader rkt';
    const { stdout, stderr } = await box.run(['bash', '-c', `${load}; complete -p rkt`]);
    expect(stdout, stderr).toBe('complete -F _rkt rkt\n');
  });

  it('lets the group rkt look at pods and images', async () => {
    await box.sh('useradd --groups rkt alice');
    expect(await box.sh('runuser -u alice -- rkt image list --no-legend')).toMatch(/example.com\/web:1.0.0/);
    expect((await box.run(['runuser', '-u', 'alice', '--', 'rkt', 'gc'])).code).toBe(254);
  });

  describe('a unit whose app says when it is ready', () => {
    let uuid = '';

    it('is activating until then, with the status that the app gives', async () => {
      await box.sh('systemctl start --no-block web');
      await becomes('web', 'StatusText', 'waiting for the word');
      uuid = (await box.sh('cat /run/web/uuid')).trim();
      expect(await show('web', 'ActiveState')).toBe('activating');
      expect((await box.run(['rkt', 'status', '--wait-ready=1s', uuid])).code).toBe(254);
    });

    it('is active when the app has said so, with the process that was started', async () => {
      const main = await show('web', 'MainPID');
      await box.sh(`rkt enter ${uuid} /bin/touch /word`);
      await becomes('web', 'ActiveState', 'active');
      await becomes('web', 'StatusText', 'serving');
      expect(await box.sh(`rkt status --wait-ready ${uuid}`)).toMatch(new RegExp(`^pid=${main}$`, 'm'));
      expect(await show('web', 'MainPID')).toBe(main);
    });

    it('is limited as it says, and tells nobody else of its socket', async () => {
      const pids = 'pidof qemu-system-x86_64 virtiofsd';
      expect((await box.sh(pids)).trim()).not.toBe('');
      const environments = await box.sh(
        `for pid in $(${pids}); do tr '\\0' '\\n' < /proc/$pid/environ; done`,
      );
      expect(environments).not.toMatch(/NOTIFY|LISTEN|INVOCATION/);
      const limits = await box.sh('cat /proc/$(pidof qemu-system-x86_64)/limits');
      expect(limits).toMatch(/^Max open files +9000 +9000/m);
      const groups = await box.sh(`for pid in $(${pids}); do sed -n 's/^0:://p' /proc/$pid/cgroup; done`);
      expect(
        groups
          .trim()
          .split('\n')
          .every((group) => group.includes('/web.service')),
      ).toBe(true);
    });

    it('ends in order, with its output in the journal, and without its pod', async () => {
      await box.sh('systemctl stop web');
      const states = ['ActiveState', 'Result', 'ExecMainStatus'].map((property) => show('web', property));
      expect(await Promise.all(states)).toEqual(['inactive', 'success', '0']);
      expect(await journal('web')).toMatch(/^hello$.*^bye$/ms);
      expect(await box.sh('rkt list --no-legend')).not.toContain(uuid.slice(0, 8));
    });
  });

  describe('a unit whose app says nothing', () => {
    it('is active when the app has been started, and again after a restart', async () => {
      const first = await started('start', 1);
      const second = await started('restart', 2);
      expect(second).not.toBe(first);
      expect(await box.sh('rkt list --no-legend --full')).not.toContain(first);
    });

    async function started(verb: string, ticks: number): Promise<string> {
      await box.sh(`systemctl ${verb} ticker`, { seconds: START_SECONDS });
      expect(await show('ticker', 'ActiveState')).toBe('active');
      // It has been started; its first word may take a moment.
      const said = async () => (await journal('ticker')).match(/^tick \[\]$/gm)?.length === ticks;
      await eventually(`ticker has said tick ${ticks} times`, said, 60);
      return (await box.sh('cat /run/ticker/uuid')).trim();
    }

    it('has ended well when SIGTERM has ended its app', async () => {
      await box.sh('systemctl stop ticker');
      // Where 143 is a failure, the unit is now failed.
      const states = ['ActiveState', 'Result'].map((property) => show('ticker', property));
      expect(await Promise.all(states)).toEqual(['inactive', 'success']);
    });
  });

  it('refuses sockets that an app asks for, and ignores others', async () => {
    const run = (image: string, ...args: string[]) => {
      const rkt = ['rkt', 'run', '--net=none', `example.com/${image}:1.0.0`, ...args];
      const script = 'LISTEN_FDS=1 LISTEN_PID=$$ exec "$@"';
      return box.run(['sh', '-c', script, 'sh', ...rkt], { seconds: START_SECONDS });
    };
    const refused = await run('socket');
    expect(refused.code).toBe(254);
    expect(refused.stderr).toMatch(
      /^run: app socket: its port http wants a socket of the service manager, .* systemd-socket-proxyd$/m,
    );
    const ignored = await run('ticker', '--inherit-env', '--exec=/bin/env');
    expect(ignored.code, ignored.stderr).toBe(0);
    expect(ignored.stdout).not.toMatch(/LISTEN_/);
  });

  it('has a metadata service that begins with the first pod that is registered', async () => {
    expect(await box.sh('systemctl is-enabled rkt-metadata.socket || true')).toBe('disabled\n');
    await box.sh('systemctl start rkt-metadata.socket');
    expect(await show('rkt-metadata.service', 'ActiveState')).toBe('inactive');
    const asking = 'wget -q -O - $AC_METADATA_URL/acMetadata/v1/pod/uuid';
    const flags = ['--rm', '--mds-register', '--uuid-file-save=/root/registered'];
    const app = ['example.com/ticker:1.0.0', '--exec=/bin/sh', '--', '-c', asking];
    const told = await box.run(['rkt', 'run', ...flags, ...app], { seconds: START_SECONDS });
    expect(told.stdout, told.stderr).toBe(await box.sh('cat /root/registered'));
    expect(await show('rkt-metadata.service', 'ActiveState')).toBe('active');
    expect(await box.sh('stat -c %a /run/rkt/metadata-svc.sock')).toBe('600\n');
  });

  it('collects by its service what has ended', async () => {
    expect(await box.sh('rkt list --no-legend')).toMatch(/exited/);
    await box.sh('systemctl start rkt-gc.service');
    // The first time it is marked, and the grace begins.
    expect(await box.sh('rkt list --no-legend')).toMatch(/exited garbage/);
    const drop = '/run/systemd/system/rkt-gc.service.d';
    await box.sh(`mkdir -p ${drop}; printf '[Service]\\nEnvironment=GRACE_PERIOD=0s\\n' > ${drop}/now.conf`);
    await box.sh('systemctl daemon-reload; systemctl start rkt-gc.service');
    expect(await box.sh('rkt list --no-legend')).toBe('\n');
    expect(await journal('rkt-gc')).toMatch(/Garbage collecting pod/);
  });

  it('is upgraded in place, removed, and purged without what is not its own', async () => {
    expect((await box.run(['dpkg', '-i', '/root/rkt.deb'])).stderr).not.toMatch(/rror/);
    expect(await show('rkt-gc.timer', 'ActiveState')).toBe('active');
    await box.sh('echo key > /etc/rkt/trustedkeys/root.d/key; dpkg --remove rkt');
    for (const unit of ['rkt-gc.timer', 'rkt-metadata.socket', 'rkt-metadata.service'])
      expect(await show(unit, 'ActiveState'), unit).toBe('inactive');
    expect(await box.sh('ls -d /usr/lib/rkt /usr/bin/rkt 2>/dev/null || true')).toBe('');
    const { stderr } = await box.run(['dpkg', '--purge', 'rkt']);
    expect(stderr).toMatch(/\/etc\/rkt is not empty, and stays.*\/var\/lib\/rkt is not empty, and stays/s);
    expect(await box.sh('find /etc/rkt -type f; ls /etc/systemd/system/timers.target.wants')).not.toMatch(
      /rkt-gc/,
    );
    expect(await box.sh('cat /etc/rkt/trustedkeys/root.d/key; ls /var/lib/rkt/cas/image')).toMatch(/^key\n./);
  });
});
