/** The entrypoint `stop`. The pod's end is not waited for. */
import { EXIT } from '../src/abi/exit-code.ts';
import { parseStopArguments } from '../src/abi/stage1.ts';
import { ControlClient } from '../src/supervisor/control-client.ts';
import { SupervisorError } from '../src/supervisor/error.ts';

/** @throws SupervisorError */
export function stop(args: readonly string[]): number {
  const { force } = parseStopArguments(args);
  using client = ControlClient.connect();
  client.send({ type: 'stop', force });
  const answer = client.receive();
  if (answer?.type === 'refused') throw new SupervisorError('refused', answer.message);
  return EXIT.ok;
}
