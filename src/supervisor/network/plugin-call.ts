/** One call of a CNI plugin: a program that reads its configuration, and writes a result or an error (CNI specification, section 2). */
import type { JsonObject } from '../../abi/json.ts';
import { signalName } from '../../native/signals.ts';
import { CNI_ERROR, CniError, parseError } from '../../net/cni/errors.ts';
import type { HostSide } from './host-side.ts';
import { type ProgramEnd, type ProgramRun, runOnHost } from './program-run.ts';

const LARGEST_ANSWER = 4 * 1024 * 1024;

export interface PluginCall extends Pick<ProgramRun, 'path' | 'environment' | 'limit' | 'lock' | 'signals'> {
  readonly input: JsonObject;
}

/** What it writes to its standard output. @throws CniError in the plugin's own words, SpawnError, Interruption */
export function callPlugin(host: HostSide, { input, ...call }: PluginCall): string {
  const end = runOnHost(host, { ...call, input: JSON.stringify(input), most: LARGEST_ANSWER });
  return judge(call, end);
}

function judge(
  { path, limit }: Pick<PluginCall, 'path' | 'limit'>,
  { exit, output, isCut, words }: ProgramEnd,
): string {
  if (exit === undefined)
    throw new CniError(
      CNI_ERROR.internal,
      `'${path}' was not done after ${Math.ceil(limit / 1000)} s`,
      words,
    );
  if (isCut) throw new CniError(CNI_ERROR.internal, `'${path}' says too much`, words);
  if (exit.kind === 'exited' && exit.code === 0) return output;
  const how = exit.kind === 'exited' ? `exit code ${exit.code}` : signalName(exit.signal);
  const details = words === '' ? output.trim() : words;
  throw parseError(output) ?? new CniError(CNI_ERROR.internal, `'${path}' has failed: ${how}`, details);
}
