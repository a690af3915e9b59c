import { sleep } from '../../../src/native/clock.ts';
import { setNonBlocking } from '../../../src/native/descriptors.ts';
import { exit, utf8Decode, utf8Encode } from '../../../src/native/engine.ts';
import { close, read, readNow, writeAll } from '../../../src/native/files.ts';
import { Loop } from '../../../src/native/loop.ts';
import { receive, send } from '../../../src/native/messages.ts';
import { openPipe, spliceNow } from '../../../src/native/pipes.ts';
import { fork, getpid, kill, waitFor } from '../../../src/native/processes.ts';
import { openPty, setWindowSize } from '../../../src/native/ptys.ts';
import { socketPair } from '../../../src/native/sockets.ts';
import { spawn } from '../../../src/native/spawn.ts';
import { report } from './report.ts';

function withLoop(use: (loop: Loop, seen: string[]) => void): string[] {
  using loop = new Loop();
  const seen: string[] = [];
  const guard = loop.after(100_000, () => {
    seen.push('timed out');
    loop.stop();
  });
  use(loop, seen);
  loop.run();
  guard.cancel();
  return seen;
}

function child(work: () => void): number {
  const pid = fork();
  if (pid > 0) return pid;
  work();
  exit(0);
}

const sh = (script: string, fds: readonly number[] = [0, 1, 2]) =>
  spawn({ path: '/bin/sh', argv: ['sh', '-c', script], env: [], fds });

const signalsArrive = () =>
  withLoop((loop, seen) => {
    loop.onSignals(['SIGUSR1', 'SIGTERM'], ({ signal, pid }) => {
      seen.push(`${signal} ${pid === getpid()}`);
      if (signal === 15) loop.stop();
    });
    loop.after(1, () => kill(getpid(), 'SIGUSR1'));
    loop.after(10, () => kill(getpid(), 'SIGTERM'));
  });

const oneChildEnds = () =>
  withLoop((loop, seen) => {
    loop.onExit(sh('sleep 0.02; exit 3'), ({ exit: ended }) => {
      seen.push(JSON.stringify(ended));
      loop.stop();
    });
  });

const allChildrenEnd = () =>
  withLoop((loop, seen) => {
    sh('exit 1');
    sleep(20); // ended before anybody looks
    const pids = [sh('exit 2'), sh('sleep 0.03; kill -9 $$')];
    loop.onChildren(({ exit: ended }) => {
      seen.push(ended.kind === 'exited' ? `code ${ended.code}` : `signal ${ended.signal}`);
      if (seen.length === pids.length + 1) loop.stop();
    });
  }).sort();

/** A promise's continuation runs between two callbacks, not after the loop. */
const promisesRun = () =>
  withLoop((loop, seen) => {
    const delay = (ms: number) => new Promise<void>((resolve) => loop.after(ms, resolve));
    (async () => {
      seen.push('started');
      await delay(5);
      seen.push('after the first timer');
      await delay(5);
      loop.stop();
    })();
    loop.after(7, () => seen.push('second timer'));
  });

/** More than any pipe holds goes through two pipes and a slow reader, whole. */
const bytesMove = () =>
  withLoop((loop, seen) => {
    const [source, sink] = [openPipe({ nonBlocking: true }), openPipe({ nonBlocking: true })];
    setNonBlocking(source.write, false);
    const writer = spawn({
      path: '/bin/sh',
      argv: ['sh', '-c', 'head -c 3000000 /dev/zero | tr "\\0" "x"'],
      env: ['PATH=/usr/bin:/bin'],
      fds: [0, source.write, 2],
    });
    close(source.write);
    let [arrived, drained] = [0, 0];
    const finish = () => {
      waitFor(writer);
      seen.push(`${drained} of ${arrived}`);
      loop.stop();
    };
    const from = loop.watch(source.read, {
      readable: () => {
        const moved = spliceNow(source.read, sink.write, 65536);
        arrived += moved ?? 0;
        if (moved !== 0) return;
        from.close();
        close(sink.write);
      },
    });
    const buffer = new Uint8Array(100_000);
    loop.watch(sink.read, {
      readable: () => {
        const count = readNow(sink.read, buffer);
        drained += count ?? 0;
        if (count === 0) finish();
      },
    });
  });

/** A child opens, the parent uses: an fd crosses a socket. */
const filesTravel = () =>
  withLoop((loop, seen) => {
    const [near, far] = socketPair('seqpacket');
    const pipe = openPipe();
    const sender = child(() => {
      send(far, utf8Encode('stdin'), [pipe.write]);
    });
    close(pipe.write);
    loop.watch(near, {
      readable: () => {
        const message = receive(near, 100, 1);
        writeAll(message?.fds[0] ?? -1, utf8Encode('hello'));
        const out = new Uint8Array(9);
        seen.push(utf8Decode(message?.bytes ?? out), utf8Decode(out.subarray(0, read(pipe.read, out))));
        waitFor(sender);
        loop.stop();
      },
    });
  });

/** A shell on a terminal of its own: it reads what is typed, knows its size and is told when that changes. */
const terminalsTalk = () =>
  withLoop((loop, seen) => {
    const pty = openPty();
    setWindowSize(pty.controller, { rows: 24, columns: 80 });
    const script =
      'trap "stty size; exit 4" WINCH; tty >/dev/null && stty size; read x; echo got $x; while :; do sleep 0.01; done';
    const pid = spawn({
      path: '/bin/sh',
      argv: ['sh', '-c', script],
      env: ['PATH=/usr/bin:/bin'],
      fds: [pty.terminal, pty.terminal, pty.terminal],
      steps: [{ do: 'session' }, { do: 'terminal', fd: pty.terminal }],
    });
    close(pty.terminal);
    const buffer = new Uint8Array(1000);
    let text = '';
    const watch = loop.watch(pty.controller, {
      readable: () => {
        text += utf8Decode(buffer.subarray(0, read(pty.controller, buffer)));
        if (text.endsWith('24 80\r\n')) writeAll(pty.controller, utf8Encode('typed\n'));
        if (text.endsWith('got typed\r\n')) setWindowSize(pty.controller, { rows: 50, columns: 100 });
      },
      hangup: () => watch.close(),
    });
    loop.onExit(pid, ({ exit: ended }) => {
      seen.push(...text.trim().split('\r\n'), JSON.stringify(ended));
      loop.stop();
    });
  });

report({
  signals: signalsArrive(),
  oneChild: oneChildEnds(),
  promises: promisesRun(),
  bytes: bytesMove(),
  files: filesTravel(),
  terminal: terminalsTalk(),
  children: allChildrenEnd(),
});
