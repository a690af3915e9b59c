/** The entrypoint `enter`: a process in a running app, on the caller's terminal or streams. */

import type { ControlAnswer } from '../src/abi/control.ts';
import { EXIT } from '../src/abi/exit-code.ts';
import { parseEnterArguments } from '../src/abi/stage1.ts';
import { Loop } from '../src/native/loop.ts';
import { ControlClient } from '../src/supervisor/control-client.ts';
import { SupervisorError } from '../src/supervisor/error.ts';
import { RawTerminal } from '../src/supervisor/terminal.ts';

const STANDARD_STREAMS = [0, 1, 2];
const TERMINAL = [0];

/** The process's exit code. @throws SupervisorError */
export function enter(args: readonly string[]): number {
  const { app, command } = parseEnterArguments(args);
  using client = ControlClient.connect();
  using terminal = RawTerminal.open(0);
  client.send(
    { type: 'exec', app, argv: command, terminal: terminal?.window ?? null },
    terminal === undefined ? STANDARD_STREAMS : TERMINAL,
  );
  const loop = new Loop();
  const watch = loop.watch(client.fd, {
    readable: () => {
      const code = codeOf(client.receive());
      if (code !== undefined) loop.stop(code);
    },
  });
  terminal?.onResize(loop, (window) => client.send({ type: 'resize', ...window }));
  const code = loop.run();
  watch.close();
  return code;
}

/** Undefined while the process runs. */
function codeOf(answer: ControlAnswer | undefined): number | undefined {
  if (answer === undefined) throw new SupervisorError('no-supervisor', 'the pod has ended');
  switch (answer.type) {
    case 'refused':
      throw new SupervisorError('refused', answer.message);
    case 'exited':
      return answer.code;
    case 'started':
      return undefined;
    case 'done':
      return EXIT.ok;
    default:
      return answer satisfies never;
  }
}
