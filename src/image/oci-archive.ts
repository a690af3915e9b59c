import { openSync } from 'node:fs';
import { ArchiveMembers } from './archive-members.ts';
import type { Layout } from './layout-source.ts';
import { requireFile } from './local-file.ts';

/** An image layout in an uncompressed tar. @throws ImageError, TarError */
export async function openLayoutArchive(path: string): Promise<Layout> {
  requireFile(path);
  return ArchiveMembers.open(path, openSync(path, 'r'));
}
