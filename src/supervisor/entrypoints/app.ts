/** The entrypoints `app/add`, `app/start`, `app/stop` and `app/rm`: a word to the pod's supervisor, and its answer. */
import { EXIT } from '../../abi/exit-code.ts';
import { type AppAction, parseAppArguments } from '../../abi/stage1.ts';
import { ControlClient } from '../control-client.ts';
import { SupervisorError } from '../error.ts';
import { secretsFds } from '../volumes/given-secrets.ts';

/** @throws SupervisorError `refused` with the supervisor's reason */
export function app(action: AppAction, args: readonly string[]): number {
  const { app, added } = parseAppArguments(args);
  using client = ControlClient.connect();
  client.send({ type: 'app', action, app, relaxations: added ?? null }, secretsFds());
  const answer = client.receive();
  if (answer === undefined) throw new SupervisorError('no-supervisor', 'the pod has ended');
  switch (answer.type) {
    case 'done':
      return EXIT.ok;
    case 'refused':
    case 'failed':
      throw new SupervisorError('refused', answer.message);
    default:
      throw new SupervisorError('no-supervisor', `the supervisor answers ${answer.type}`);
  }
}
