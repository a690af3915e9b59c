import type { ByteSource } from './byte-source.ts';
import { type ByteString, showBytes, toByteString } from './bytes.ts';
import { TarError } from './error.ts';
import { BLOCK, type Header } from './header.ts';
import type { TarLimits } from './limits.ts';
import {
  type PaxAttributes,
  type PaxRecord,
  parsePaxRecords,
  paxAttributes,
  paxName,
  refuseGlobalNames,
} from './pax.ts';

/** The headers before a header: pax records of one entry and of all, GNU long names. They hold until the next real entry. */
export class ExtendedHeaders {
  readonly #source: ByteSource;
  readonly #limits: TarLimits;
  #global: readonly PaxRecord[] = [];
  #own: readonly PaxRecord[] | undefined;
  #longName: ByteString | undefined;
  #longLink: ByteString | undefined;

  constructor(source: ByteSource, limits: TarLimits) {
    this.#source = source;
    this.#limits = limits;
  }

  get longName(): ByteString | undefined {
    return this.#longName;
  }

  get longLink(): ByteString | undefined {
    return this.#longLink;
  }

  /** True when the header was an extended one, and its body has been read. */
  async take(header: Header): Promise<boolean> {
    switch (header.type) {
      case 'x':
      case 'X':
        this.#once(this.#own, 'pax header');
        this.#own = parsePaxRecords(await this.#body(header));
        return true;
      case 'g':
        this.#global = this.#merged(parsePaxRecords(await this.#body(header)));
        return true;
      case 'L':
        this.#once(this.#longName, 'long name');
        this.#longName = this.#gnuName(await this.#body(header), 'long name');
        return true;
      case 'K':
        this.#once(this.#longLink, 'long link name');
        this.#longLink = this.#gnuName(await this.#body(header), 'long link name');
        return true;
      case 'V':
        // GNU's label of the volume; it names the archive, not a file.
        await this.#body(header);
        return true;
      default:
        return false;
    }
  }

  attributes(): PaxAttributes {
    return paxAttributes([...this.#global, ...(this.#own ?? [])], this.#limits);
  }

  reset(): void {
    this.#own = undefined;
    this.#longName = undefined;
    this.#longLink = undefined;
  }

  /** At the end of the archive: an extended header without its entry is the mark of one that was cut. */
  finish(): void {
    if (this.#own !== undefined || this.#longName !== undefined || this.#longLink !== undefined) {
      throw new TarError('truncated', 'archive ends between an extended header and its entry');
    }
  }

  // Readers disagree on which of two would count: that is how a file gets past a scanner.
  #once(previous: unknown, what: string): void {
    if (previous !== undefined)
      throw new TarError('bad-header', `two headers of one kind for one entry: ${what}`);
  }

  // Merged by key, so that repeating global headers does not grow without bound.
  #merged(records: readonly PaxRecord[]): PaxRecord[] {
    refuseGlobalNames(records);
    const byKey = new Map([...this.#global, ...records].map((record) => [record.key, record]));
    const bytes = [...byKey.values()].reduce((sum, { key, value }) => sum + key.length + value.length, 0);
    if (bytes > this.#limits.extendedHeader) throw tooLarge(bytes, this.#limits);
    return [...byKey.values()];
  }

  async #body(header: Header): Promise<Buffer> {
    if (header.size > this.#limits.extendedHeader) throw tooLarge(header.size, this.#limits);
    const padded = Math.ceil(header.size / BLOCK) * BLOCK;
    const body = await this.#source.read(padded);
    if (body === undefined && padded > 0)
      throw new TarError('truncated', 'archive ends within an extended header');
    return Buffer.from(body ?? []).subarray(0, header.size);
  }

  #gnuName(body: Buffer, what: string): ByteString {
    const end = body.indexOf(0);
    const name = end === -1 ? body : body.subarray(0, end);
    if (name.length === 0)
      throw new TarError('bad-header', `${what} is empty: ${showBytes(toByteString(body))}`);
    return paxName(name, what, this.#limits);
  }
}

function tooLarge(bytes: number, limits: TarLimits): TarError {
  return new TarError(
    'limit',
    `extended header of ${bytes} bytes, at most ${limits.extendedHeader} are allowed`,
  );
}
