import { type ImageManifest, readImageManifest } from '../appc/index.ts';
import type { Archive, Whitelist } from '../store/index.ts';
import { ImageError } from './error.ts';
import { type LayerRules, parsePath, type Segments } from './extract/index.ts';
import type { UnpackPlan } from './layer.ts';
import { type ByteString, type Entry, showBytes, type TarReader, toByteString } from './tar/index.ts';

const LARGEST_MANIFEST = 32 * 1024 * 1024;
const TOP = 'rootfs';

/**
 * `rootfs/...` and nothing else (appc aci.md, "Image Layout"). Where a dependency has a link, a directory of the image replaces it:
 * it is not followed (ace.md, "Filesystem Setup").
 */
export const ACI_RULES: LayerRules = {
  locate: (path) => {
    const [top, ...rest] = parsePath(path);
    if (top !== TOP) throw unrecognized(path);
    return rest;
  },
  whiteouts: false,
  repeats: 'refuse',
  lowerLinks: 'replace',
};

type Unpacking = Pick<UnpackPlan, 'rules' | 'endMarker' | 'intercept'>;

/** How an ACI whose manifest is known is extracted. */
export function aciUnpacking({ whitelists }: Pick<Archive, 'whitelists'>): Unpacking {
  const layout = new AciLayout();
  return layout.unpacking(whitelists);
}

/** What an archive holds beside its root file system, seen while it is read. */
export class AciLayout {
  #text: string | undefined;
  #rootfsSeen = false;

  unpacking(whitelists: readonly Whitelist[]): Unpacking {
    const allows = whitelistFilter(whitelists);
    return {
      rules: ACI_RULES,
      endMarker: 'required',
      intercept: async (entry, reader) => (await this.#take(entry, reader)) || !allows(entry),
    };
  }

  /** The manifest, if it has come by. @throws AppcError */
  get manifest(): ImageManifest | undefined {
    return this.#text === undefined ? undefined : readImageManifest(this.#text);
  }

  /** To be asked when the archive has been read. @throws ImageError bad-layout, AppcError */
  requireManifest(): ImageManifest {
    const { manifest } = this;
    if (manifest === undefined) throw new ImageError('bad-layout', 'no image manifest found in layout');
    if (!this.#rootfsSeen) throw new ImageError('bad-layout', 'no rootfs found in layout');
    return manifest;
  }

  async #take(entry: Entry, reader: TarReader): Promise<boolean> {
    const path = parsePath(entry.path);
    const [top] = path;
    // `tar -C DIR .` puts the top itself into the archive.
    if (top === undefined && entry.kind === 'directory') return true;
    if (top === TOP) {
      this.#rootfsSeen = true;
      return false;
    }
    if (path.length !== 1 || top !== 'manifest') throw unrecognized(entry.path);
    if (entry.kind !== 'file') throw new ImageError('bad-layout', 'manifest is not a regular file');
    if (this.#text !== undefined)
      throw new ImageError('duplicate-entry', 'archive has more than one manifest');
    if (entry.size > LARGEST_MANIFEST) throw new ImageError('too-large', `manifest of ${entry.size} bytes`);
    const content = Buffer.alloc(entry.size);
    for await (const { offset, bytes } of reader.content()) content.set(bytes, offset);
    this.#text = content.toString('utf8');
    return true;
  }
}

/**
 * Of an image with a whitelist only what is listed survives, its dependencies' files included (appc aci.md, "pathWhitelist").
 * As rkt has it, an image's directories survive its own whitelist; of a dependency's, those that are listed or lead to what is.
 */
function whitelistFilter(whitelists: readonly Whitelist[]): (entry: Entry) => boolean {
  const filters = whitelists.map(({ isOwn, paths }) => {
    const listed = new Set(paths.map(keyOf));
    const leading = new Set(isOwn ? [] : [...listed].flatMap(parentsOf));
    return (path: ByteString, isDirectory: boolean) =>
      listed.has(path) || (isDirectory && (isOwn || leading.has(path)));
  });
  if (filters.length === 0) return () => true;
  return (entry) => {
    const path = joined(parsePath(entry.path).slice(1));
    return path === '/' || filters.every((allows) => allows(path, entry.kind === 'directory'));
  };
}

/** A path of a manifest as an archive's would be written. */
function keyOf(path: string): ByteString {
  return joined(
    toByteString(Buffer.from(path))
      .split('/')
      .filter((name) => name !== '' && name !== '.'),
  );
}

function parentsOf(path: ByteString): ByteString[] {
  const names = path.split('/').slice(1, -1);
  return names.map((_, index) => joined(names.slice(0, index + 1)));
}

function joined(names: Segments): ByteString {
  return `/${names.join('/')}`;
}

/** What other tools' archives begin with. */
const OTHER_ARCHIVES: ReadonlyMap<string, string> = new Map([
  ['oci-layout', 'oci-archive'],
  ['index.json', 'oci-archive'],
  ['blobs', 'oci-archive'],
  ['manifest.json', 'docker-archive'],
]);

function unrecognized(path: ByteString): ImageError {
  const kind = OTHER_ARCHIVES.get(path.split('/')[0] ?? '');
  const hint = kind === undefined ? '' : ` (is it an image of another kind, ${kind}:PATH?)`;
  return new ImageError('bad-layout', `unrecognized file path in layout: ${showBytes(path)}${hint}`);
}
