/** Errors of every kind as the specification has them. */
import { AbiError } from '../src/abi/json.ts';
import { SystemError } from '../src/native/errors.ts';
import { CNI_ERROR, CniError } from '../src/net/cni/errors.ts';

/** What has gone wrong, with its code: a field of the configuration, a system call, or a value. */
export function asCniError(error: unknown): CniError {
  if (error instanceof CniError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const code = codeOf(error);
  return new CniError(code, message, '', { cause: error });
}

function codeOf(error: unknown): number {
  if (error instanceof AbiError || error instanceof RangeError) return CNI_ERROR.invalidConfiguration;
  return error instanceof SystemError ? CNI_ERROR.io : CNI_ERROR.internal;
}

export function badConfiguration(message: string): CniError {
  return new CniError(CNI_ERROR.invalidConfiguration, message);
}
