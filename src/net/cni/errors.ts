import { FieldReader } from '../../abi/json.ts';
import { NEWEST_VERSION } from './versions.ts';

/** The specification's codes, section 5, and `internal`, which the reference plugins use. From 100 on they are a plugin's own. */
export const CNI_ERROR = {
  incompatibleVersion: 1,
  unsupportedField: 2,
  unknownContainer: 3,
  invalidEnvironment: 4,
  io: 5,
  undecodable: 6,
  invalidConfiguration: 7,
  /** CNI_NETNS is the network namespace that the plugin itself runs in. */
  invalidNamespace: 8,
  tryAgain: 11,
  /** Of STATUS: ADD cannot be served. */
  unavailable: 50,
  /** What the kernel, or the host, lacks. */
  unsupportedByHost: 100,
  internal: 999,
} as const;

/** What a plugin says of a failure, in its own words. */
export class CniError extends Error {
  override readonly name = 'CniError';

  constructor(
    readonly code: number,
    message: string,
    readonly details: string = '',
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** An error as a plugin writes it to its standard output. `version`: as it was in the configuration, where there is one. */
export function formatError(error: CniError, version: string = NEWEST_VERSION): string {
  const { code, message: msg, details } = error;
  return JSON.stringify({ cniVersion: version, code, msg, ...(details === '' ? {} : { details }) });
}

const LONGEST = 4096;

/** What a failed plugin wrote; undefined where that is no error of the specification. */
export function parseError(text: string): CniError | undefined {
  try {
    const fields = new FieldReader(JSON.parse(text), 'error');
    const details = fields.has('details') ? fields.string('details', LONGEST) : '';
    return new CniError(fields.integer('code', 0, 2 ** 32), fields.string('msg', LONGEST), details);
  } catch {
    return undefined;
  }
}
