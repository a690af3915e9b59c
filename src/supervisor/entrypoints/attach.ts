/** The entrypoint `attach`: the caller's streams or terminal at those of a running app. */
import {
  type AttachAction,
  type AttachArguments,
  type Endpoint,
  parseAttachArguments,
  parseDetachKeys,
} from '../../abi/attach.ts';
import type { ControlAnswer } from '../../abi/control.ts';
import { EXIT } from '../../abi/exit-code.ts';
import { POD } from '../../abi/pod-directory.ts';
import { utf8Encode } from '../../native/engine.ts';
import { close, writeAll } from '../../native/files.ts';
import { Loop } from '../../native/loop.ts';
import { ControlClient } from '../control-client.ts';
import { isTerminal } from '../endpoints.ts';
import { SupervisorError } from '../error.ts';
import { Report } from '../report.ts';
import { RawTerminal } from '../terminal.ts';
import { Typing } from './typing.ts';

const STDIN = 0;
const STDOUT = 1;
const STDERR = 2;
const DESCRIPTORS: Readonly<Record<Endpoint, number>> = {
  stdin: STDIN,
  stdout: STDOUT,
  stderr: STDERR,
  'tty-in': STDIN,
  'tty-out': STDOUT,
};

/** @throws SupervisorError, AbiError */
export function attach(args: readonly string[]): number {
  const request = parseAttachArguments(args);
  const keys = parseDetachKeys(request.detachKeys);
  const { action } = request;
  switch (action.kind) {
    case 'list':
      writeAll(STDOUT, utf8Encode(endpointsText(namesOf(request.app))));
      return EXIT.ok;
    case 'auto-attach':
    case 'custom-attach':
      return join(request, wanted(request, action), keys);
    default:
      return action satisfies never;
  }
}

function wanted(
  { app }: AttachArguments,
  action: Exclude<AttachAction, { kind: 'list' }>,
): readonly Endpoint[] {
  if (action.kind === 'custom-attach') return action.endpoints;
  const names = namesOf(app);
  if (names.length === 0) throw new SupervisorError('refused', `app ${app} has nothing to attach to`);
  return names;
}

function namesOf(app: string): readonly Endpoint[] {
  using client = ControlClient.connect();
  client.send({ type: 'endpoints', app });
  const answer = answered(client);
  return answer.type === 'endpoints' ? answer.names : [];
}

function answered(client: ControlClient): ControlAnswer {
  const answer = client.receive();
  if (answer === undefined) throw new SupervisorError('no-supervisor', 'the pod has ended');
  if (answer.type === 'refused') throw new SupervisorError('refused', answer.message);
  return answer;
}

/** As rkt prints it, where a terminal is one endpoint. The address is ours: all are asked for at the supervisor's socket. */
function endpointsText(names: readonly Endpoint[]): string {
  const shown = [...new Set(names.map((name) => name.replace(/^tty-.*/, 'tty')))];
  const targets = shown.map((name) => ({ name, domain: 'unix', address: POD.control }));
  return `${JSON.stringify({ version: 1, targets }, undefined, 4)}\n`;
}

function join({ app }: AttachArguments, endpoints: readonly Endpoint[], keys: Uint8Array): number {
  using client = ControlClient.connect();
  const loop = new Loop();
  const report = new Report('attach', false);
  const isTyping = endpoints.includes('tty-in') && isTerminal(STDIN);
  using terminal = isTyping ? RawTerminal.open(STDIN) : undefined;
  const typing =
    terminal === undefined
      ? undefined
      : new Typing(loop, STDIN, keys, () => {
          terminal.close();
          // The cursor is where the app has left it.
          writeAll(STDERR, utf8Encode('\n'));
          report.say(`detached from app ${app}`);
          loop.stop(EXIT.ok);
        });
  // A signal that ended us here would leave the terminal raw.
  const signals = loop.onSignals(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT'], ({ signal }) =>
    loop.stop(128 + signal),
  );
  const fds = endpoints.map((name) =>
    name === 'tty-in' && typing !== undefined ? typing.output : DESCRIPTORS[name],
  );
  client.send({ type: 'attach', app, endpoints, window: terminal?.window ?? null }, fds);
  if (typing !== undefined) close(typing.output);
  const watch = loop.watch(client.fd, {
    readable: () => {
      const answer = client.receive();
      // When the pod has ended there is nothing more to come, either.
      if (answer === undefined || answer.type === 'done') loop.stop(EXIT.ok);
      else if (answer.type === 'refused') {
        terminal?.close();
        report.say(answer.message);
        loop.stop(EXIT.failure);
      }
    },
  });
  terminal?.onResize(loop, (window) => client.send({ type: 'resize', ...window }));
  const code = loop.run();
  watch.close();
  signals.close();
  typing?.close();
  return code;
}
