/** The entrypoint `enter`: a process in a running app, on the caller's terminal or streams. */

import type { ControlAnswer } from '../../abi/control.ts';
import { EXIT } from '../../abi/exit-code.ts';
import { parseEnterArguments } from '../../abi/stage1.ts';
import { Loop } from '../../native/loop.ts';
import { callerName } from '../caller.ts';
import { ControlClient } from '../control-client.ts';
import { isTerminal } from '../endpoints.ts';
import { SupervisorError } from '../error.ts';
import { Report } from '../report.ts';
import { RawTerminal } from '../terminal.ts';

const STDIN = 0;
const STDOUT = 1;
const STANDARD_STREAMS = [STDIN, STDOUT, 2];
const TERMINAL = [STDIN];

/** The process's exit code. @throws SupervisorError */
export function enter(args: readonly string[]): number {
  const { app, command } = parseEnterArguments(args);
  using client = ControlClient.connect();
  using terminal = openTerminal();
  const loop = new Loop();
  // From the start: a signal that ended us here would leave the terminal raw, and the process without its caller's word.
  const forwarding = loop.onSignals(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT'], ({ signal }) =>
    client.send({ type: 'signal', signal }),
  );
  client.send(
    { type: 'exec', app, argv: command, terminal: terminal?.window ?? null },
    terminal === undefined ? STANDARD_STREAMS : TERMINAL,
  );
  const say = (message: string) => {
    // In a raw terminal the next line would not begin at its left.
    terminal?.close();
    new Report(callerName(), false).say(message);
  };
  const watch = loop.watch(client.fd, {
    readable: () => {
      const code = codeOf(client.receive(), say);
      if (code !== undefined) loop.stop(code);
    },
  });
  terminal?.onResize(loop, (window) => client.send({ type: 'resize', ...window }));
  const code = loop.run();
  watch.close();
  forwarding.close();
  return code;
}

/** Only for a process whose output would be seen there: what goes into a file or a pipe must not pass a terminal, which changes it. */
function openTerminal(): RawTerminal | undefined {
  return isTerminal(STDOUT) ? RawTerminal.open(STDIN) : undefined;
}

/** Undefined while the process runs. Why it could not be started is said. */
function codeOf(answer: ControlAnswer | undefined, say: (message: string) => void): number | undefined {
  if (answer === undefined) throw new SupervisorError('no-supervisor', 'the pod has ended');
  switch (answer.type) {
    case 'refused':
      throw new SupervisorError('refused', answer.message);
    case 'failed':
      say(answer.message);
      return answer.code;
    case 'exited':
      return answer.code;
    case 'started':
      return undefined;
    case 'done':
    case 'endpoints':
    case 'attached':
    case 'network-check':
    case 'app-stats':
    case 'stats':
      return EXIT.ok;
    default:
      return answer satisfies never;
  }
}
