/** The entrypoint `control`: one request to the pod's supervisor, each answer as a line of JSON, until it has hung up. */
import { parseControlRequest } from '../src/abi/control.ts';
import { EXIT } from '../src/abi/exit-code.ts';
import { AbiError } from '../src/abi/json.ts';
import { parseControlArguments } from '../src/abi/stage1.ts';
import { utf8Encode } from '../src/native/engine.ts';
import { writeAll } from '../src/native/files.ts';
import { ControlClient } from '../src/supervisor/control-client.ts';
import { SupervisorError } from '../src/supervisor/error.ts';

const STDOUT = 1;

/** @throws SupervisorError; `refused` after the refusal has been printed as any answer is */
export function control(args: readonly string[]): number {
  const { request } = parseControlArguments(args);
  using client = ControlClient.connect();
  client.send(parseControlRequest(parseJson(request)));
  for (let answers = 0; ; answers++) {
    const answer = client.receive();
    if (answer === undefined && answers > 0) return EXIT.ok;
    if (answer === undefined) throw new SupervisorError('no-supervisor', 'the pod has ended');
    writeAll(STDOUT, utf8Encode(`${JSON.stringify(answer)}\n`));
    if (answer.type === 'refused') throw new SupervisorError('refused', answer.message);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new AbiError('bad-arguments', `control: the request is no JSON: ${text.slice(0, 80)}`, { cause });
  }
}
