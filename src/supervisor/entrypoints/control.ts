/**
 * The entrypoint `control`: one request to the pod's supervisor, each answer as a line of JSON, until it has hung up. With `copy` the
 * streams are the copied files' instead.
 */
import { type ControlAnswer, type ControlRequest, parseControlRequest } from '../../abi/control.ts';
import { EXIT } from '../../abi/exit-code.ts';
import { AbiError } from '../../abi/json.ts';
import { parseControlArguments } from '../../abi/stage1.ts';
import { utf8Encode } from '../../native/engine.ts';
import { writeAll } from '../../native/files.ts';
import { ControlClient } from '../control-client.ts';
import { SupervisorError } from '../error.ts';
import { checkNetworks } from '../network/checking.ts';

const STDOUT = 1;
const STANDARD_STREAMS = [0, STDOUT, 2];

/** @throws SupervisorError; `refused` after the refusal has been printed as any answer is */
export function control(args: readonly string[]): number {
  const { uuid, request } = parseControlArguments(args);
  const parsed = parseControlRequest(parseJson(request));
  // Plugins take their time, in which the supervisor has others to serve.
  if (parsed.type === 'check-networks') return tellChecks(uuid);
  using client = ControlClient.connect();
  if (parsed.type === 'copy') return copy(client, parsed);
  client.send(parsed);
  for (let answers = 0; ; answers++) {
    const answer = client.receive();
    if (answer === undefined && answers > 0) return EXIT.ok;
    if (answer === undefined) throw new SupervisorError('no-supervisor', 'the pod has ended');
    say(answer);
    if (answer.type === 'refused') throw new SupervisorError('refused', answer.message);
  }
}

function tellChecks(uuid: string): number {
  for (const check of checkNetworks(uuid)) say({ type: 'network-check', ...check });
  say({ type: 'done' });
  return EXIT.ok;
}

function say(answer: ControlAnswer): void {
  writeAll(STDOUT, utf8Encode(`${JSON.stringify(answer)}\n`));
}

/** What is copied goes over the caller's own streams, so that there are no answers to read: the exit code tells. */
function copy(client: ControlClient, request: ControlRequest): number {
  client.send(request, STANDARD_STREAMS);
  for (;;) {
    const answer = client.receive();
    switch (answer?.type) {
      case undefined:
        throw new SupervisorError('no-supervisor', 'the pod has ended');
      case 'refused':
      case 'failed':
        throw new SupervisorError('refused', answer.message);
      case 'exited':
        return answer.code;
      default:
        break;
    }
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new AbiError('bad-arguments', `control: the request is no JSON: ${text.slice(0, 80)}`, { cause });
  }
}
