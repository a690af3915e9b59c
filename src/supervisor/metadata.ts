import { METADATA_ENV, metadataUrl, parseRegistration, type Registration } from '../abi/metadata.ts';
import { POD } from '../abi/pod-directory.ts';
import type { RunArguments } from '../abi/stage1.ts';
import type { EnvironmentVariable } from '../appc/index.ts';
import { readTextIfPresent } from '../native/contents.ts';

/**
 * What apps are told of the metadata service: nothing where it does not know the pod. `host` gives the address that they reach the
 * host by, and is asked only where they need one.
 */
export function metadataEnvironment(
  { mdsToken }: Pick<RunArguments, 'mdsToken'>,
  host: () => string,
): EnvironmentVariable[] {
  const registration = given(mdsToken) ?? recorded();
  return registration === undefined ? [] : [{ name: METADATA_ENV, value: metadataUrl(host(), registration) }];
}

function given(token: string | null): Registration | undefined {
  return token === null ? undefined : { token, port: null };
}

function recorded(): Registration | undefined {
  const text = readTextIfPresent(POD.metadata);
  return text === undefined ? undefined : parseRegistration(text);
}
