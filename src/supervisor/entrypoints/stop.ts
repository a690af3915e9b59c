/** The entrypoint `stop`. The pod's end is not waited for. */
import { EXIT } from '../../abi/exit-code.ts';
import { POD } from '../../abi/pod-directory.ts';
import { parseStopArguments } from '../../abi/stage1.ts';
import { exists } from '../../native/stat.ts';
import { ControlClient } from '../control-client.ts';
import { SupervisorError } from '../error.ts';
import { stopStarting } from '../starting.ts';

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
