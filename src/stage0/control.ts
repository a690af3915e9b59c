import { type ControlAnswer, type ControlRequest, parseControlAnswer } from '../abi/control.ts';
import { AbiError } from '../abi/json.ts';
import { formatControlArguments } from '../abi/stage1.ts';
import { type PodReference, podPath } from '../pod/directory.ts';
import { findEntrypoint } from './entrypoint.ts';
import { Stage0Error } from './errors.ts';

export interface Asking {
  /** Told each answer as it comes. */
  readonly onAnswer?: (answer: ControlAnswer) => void;
  /** Milliseconds after which the asking ends; undefined: as long as the supervisor answers. */
  readonly timeout?: number;
  /** Ends the asking. */
  readonly signal?: AbortSignal;
}

/**
 * Asks the supervisor of a running pod by its stage1's `control`, and gives all answers, up to its hanging up. Throws Stage0Error
 * `refused` with the supervisor's words, `timed-out`, `bad-stage1`, `unsupported` for a stage1 without it; the signal's reason when that ends it.
 */
export async function askSupervisor(
  pod: PodReference,
  request: ControlRequest,
  { onAnswer = () => {}, timeout, signal }: Asking = {},
): Promise<ControlAnswer[]> {
  const { run } = await import('../os/run.ts');
  // Where running pods are: it may have been found a moment earlier.
  const cwd = podPath({ ...pod, phase: 'run' });
  const program = findEntrypoint(cwd, 'control');
  if (program === undefined)
    throw new Stage0Error('unsupported', "the pod's stage1 has no control entrypoint");
  const args = formatControlArguments({ uuid: pod.uuid, request: JSON.stringify(request) });
  const asked = run(program, args, {
    cwd,
    reject: false,
    stdin: 'ignore',
    // All answers are kept here, as they come.
    buffer: { stdout: false },
    ...(timeout === undefined ? {} : { timeout }),
    ...(signal === undefined ? {} : { cancelSignal: signal }),
  });
  const answers: ControlAnswer[] = [];
  for await (const line of asked) {
    const answer = parseAnswer(line);
    answers.push(answer);
    onAnswer(answer);
  }
  const { failed, timedOut, stderr, shortMessage } = await asked;
  signal?.throwIfAborted();
  const last = answers.at(-1);
  if (last?.type === 'refused') throw new Stage0Error('refused', last.message);
  if (timedOut)
    throw new Stage0Error('timed-out', `the supervisor of pod ${JSON.stringify(pod.uuid)} does not answer`);
  if (failed)
    throw new Stage0Error(
      'bad-stage1',
      `control of the pod's stage1 failed: ${stderr.trim() || shortMessage}`,
    );
  return answers;
}

function parseAnswer(line: string): ControlAnswer {
  try {
    return parseControlAnswer(JSON.parse(line));
  } catch (cause) {
    if (!(cause instanceof AbiError || cause instanceof SyntaxError)) throw cause;
    throw new Stage0Error('bad-stage1', `control of the pod's stage1 answers rubbish: ${cause.message}`, {
      cause,
    });
  }
}
