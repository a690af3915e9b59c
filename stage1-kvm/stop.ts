/** The entrypoint `stop`. The pod's end is not waited for. */
import { EXIT } from '../src/abi/exit-code.ts';
import { POD } from '../src/abi/pod-directory.ts';
import { parseStopArguments } from '../src/abi/stage1.ts';
import { exists } from '../src/native/stat.ts';
import { ControlClient } from '../src/supervisor/control-client.ts';
import { SupervisorError } from '../src/supervisor/error.ts';
import { stopStarting } from '../src/supervisor/starting.ts';

/** @throws SupervisorError */
export function stop(args: readonly string[]): number {
  const { force } = parseStopArguments(args);
  // Networks may take their time, and can be given up at once.
  if (exists(POD.networkLock) && !exists(POD.control) && stopStarting()) return EXIT.ok;
  using client = ControlClient.connect();
  client.send({ type: 'stop', force });
  const answer = client.receive();
  if (answer?.type === 'refused') throw new SupervisorError('refused', answer.message);
  return EXIT.ok;
}
