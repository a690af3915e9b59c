import { AbiError, FieldReader } from '../abi/json.ts';
import { type ACName, isACName, type StringMap } from '../appc/index.ts';
import { VolumeError } from './error.ts';

/** Names a volume of the host: its directory, and what pods call it. */
export type VolumeName = ACName;

/** What is known of a volume but its files. */
export interface VolumeRecord {
  readonly name: VolumeName;
  /** Milliseconds since 1970. */
  readonly created: number;
  readonly labels: StringMap;
}

const VERSION = 1;
const MOST_LABELS = 1024;

/** Throws VolumeError `bad-name`. */
export function parseVolumeName(text: string): VolumeName {
  if (isACName(text)) return text;
  throw new VolumeError(
    'bad-name',
    `${JSON.stringify(text)} is no name of a volume: lower case letters and digits, joined by single hyphens`,
  );
}

/** The name is that of the volume's directory. */
export function formatVolumeRecord({ created, labels }: VolumeRecord): string {
  const pairs = Object.entries(labels).map(([key, value]) => ({ key, value }));
  return `${JSON.stringify({ version: VERSION, created, labels: pairs })}\n`;
}

/** Throws VolumeError `bad-record`. */
export function parseVolumeRecord(name: VolumeName, text: string): VolumeRecord {
  try {
    const record = new FieldReader(JSON.parse(text), 'record');
    record.integer('version', VERSION, VERSION);
    const labels = record.list('labels', MOST_LABELS, (value, where): [string, string] => {
      const label = new FieldReader(value, where);
      return [label.string('key'), label.string('value')];
    });
    return {
      name,
      created: record.integer('created', 0, Number.MAX_SAFE_INTEGER),
      labels: Object.fromEntries(labels),
    };
  } catch (cause) {
    if (!(cause instanceof AbiError || cause instanceof SyntaxError)) throw cause;
    throw new VolumeError('bad-record', `volume ${JSON.stringify(name)}: its record cannot be read`, {
      cause,
    });
  }
}
