/** What an archive may ask of its reader: each number bounds memory, inodes or disk against a hostile one. */
export interface TarLimits {
  /** Bytes of one extended header (pax records, GNU long name), held in memory. */
  readonly extendedHeader: number;
  /** Bytes of a name or of a link's target; Linux's own PATH_MAX. */
  readonly name: number;
  /** Entries of one archive: inodes of the disk. */
  readonly entries: number;
  /** Regions of a sparse file, held in memory. */
  readonly sparseRegions: number;
  /** Logical size of one file; a sparse one costs nothing to state and much to copy. */
  readonly fileSize: number;
  /** Bytes of all extended attributes of one entry; Linux allows 64 KiB for one. */
  readonly xattrs: number;
}

export const DEFAULT_TAR_LIMITS: TarLimits = {
  extendedHeader: 1024 * 1024,
  name: 4096,
  entries: 2_000_000,
  sparseRegions: 65_536,
  fileSize: 2 ** 40,
  xattrs: 256 * 1024,
};
