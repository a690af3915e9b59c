import { beforeAll, expect, test } from 'vitest';
import { tinyImages } from '../support/images.ts';
import { useRkt } from '../support/rkt.ts';
import { TerminalCommand } from '../support/terminal.ts';

const rkt = useRkt();
let image = '';
beforeAll(async () => {
  image = (await tinyImages()).aci.zstd;
});

function pod(apps: Readonly<Record<string, string>>): string[] {
  const each = Object.entries(apps).map(([name, script], index) => [
    ...(index === 0 ? [] : ['---']),
    ...[image, `--name=${name}`, '--exec=/bin/sh', '--', '-c', script],
  ]);
  return ['run', '--net=none', ...each.flat()];
}

// Every app waits for what it needs: nothing here depends on which is faster. The viewer ends the other two, which it
// can only do in a process list that all share.
const SERVER =
  'touch /of-server; mkdir /www; echo served > /www/page; httpd -f -p 127.0.0.1:8080 -h /www & wait; exit 0';
const CLIENT = `touch /of-client
until wget -q -O - http://127.0.0.1:8080/page 2>/dev/null; do sleep 0.1; done
sleep 987 & wait; exit 0`;
const VIEWER = `pid() { ps -o pid,args | awk -v name="$1" -v argument="$2" '$2 == name && $3 == argument { print $1 }'; }
until [ -n "$(pid httpd -f)" ] && [ -n "$(pid sleep 987)" ]; do sleep 0.1; done
ls / | grep '^of-' || echo sees no other root
kill $(pid httpd -f) $(pid sleep 987)`;

test('three apps share localhost and the process list, not their roots', async () => {
  const { code, stdout, stderr } = await rkt.run(pod({ server: SERVER, client: CLIENT, viewer: VIEWER }));
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout.split('\n').sort()).toEqual(['', 'sees no other root', 'served']);
});

test('an app that fails ends the pod with its code; one that exits 0 does not', async () => {
  const { code, stdout } = await rkt.run(
    pod({
      first: 'exit 0',
      lasting: 'trap "echo asked to end; exit 0" TERM; : > /dev/shm/up; while :; do sleep 0.1; done',
      failing: 'until [ -e /dev/shm/up ]; do sleep 0.1; done; exit 5',
    }),
  );
  expect({ code, stdout }).toEqual({ code: 5, stdout: 'asked to end\n' });
});

test('on a terminal the lines of several apps carry time, name and pid', async () => {
  const apps = pod({ one: 'echo from one', two: 'echo from two; printf "no line end"' });
  const terminal = new TerminalCommand(rkt, rkt.argv(apps));
  const { code } = await terminal.finished;
  expect(code).toBe(0);
  expect(terminal.shown).toMatch(/^\[ *\d+\.\d{3}\] one\[\d+\]: from one$/m);
  expect(terminal.shown).toMatch(/^\[ *\d+\.\d{3}\] two\[\d+\]: from two$/m);
  expect(terminal.shown).toMatch(/two\[\d+\]: no line end/);
});
