/** nftables: each attachment has tables of its own, which come and go as one, whatever others have. */
import { unless } from '../src/native/errors.ts';
import { deleteTable, type TableFamily } from '../src/native/netlink/nftables.ts';
import { CNI_ERROR, CniError } from '../src/net/cni/errors.ts';
import { formatOwner, type NetworkAttachment, parseOwner } from './attachment.ts';
import { findProgram, runProgram } from './programs.ts';

/** The kernel's NFT_NAME_MAXLEN, without its end. */
const LONGEST_NAME = 255;

export function hasNft(): boolean {
  return findProgram('nft') !== undefined;
}

function nft(...lines: readonly string[]): string {
  const program = findProgram('nft');
  if (program === undefined)
    throw new CniError(CNI_ERROR.unsupportedByHost, 'this host has no nft: install nftables');
  return runProgram(program, ['-f', '-'], `${lines.join('\n')}\n`);
}

export function tableName(kind: string, attachment: NetworkAttachment): string {
  const name = formatOwner(kind, attachment);
  if (name.length <= LONGEST_NAME) return name;
  const message = `the names of network, container and interface are too long for a table of nftables: '${name}'`;
  throw new CniError(CNI_ERROR.invalidConfiguration, message);
}

/** Makes the table new where there is one; others see the old one or the new one. */
export function setNftTable(
  kind: string,
  attachment: NetworkAttachment,
  body: readonly string[],
  family: TableFamily = 'inet',
): void {
  const name = tableName(kind, attachment);
  const table = [`table ${family} ${name} {`, ...body, '}'];
  // Mostly there is none, and to remove it for nothing would take ten times as long: the kernel waits until nobody can see it.
  try {
    nft(`create table ${family} ${name}`, ...table);
  } catch (error) {
    if (!(error instanceof CniError && error.message.includes('File exists'))) throw error;
    nft(`add table ${family} ${name}`, `delete table ${family} ${name}`, ...table);
  }
}

/** False where there is none. */
export function removeNftTable(
  kind: string,
  attachment: NetworkAttachment,
  family: TableFamily = 'inet',
): boolean {
  const remove = () => {
    deleteTable(tableName(kind, attachment), family);
    return true;
  };
  return unless(['ENOENT'], remove) ?? false;
}

/** Whose tables of the kind there are. */
export function listNftTables(kind: string, family: TableFamily = 'inet'): NetworkAttachment[] {
  return nft(`list tables ${family}`)
    .split('\n')
    .map((line) => parseOwner(kind, line.replace(`table ${family} `, '')))
    .filter((found) => found !== undefined);
}

/** The text of the tables of the kind that are wanted. All are read at once: one that is asked for by its name may have gone meanwhile. */
export function showNftTables(kind: string, isWanted: (attachment: NetworkAttachment) => boolean): string {
  return nft('list ruleset inet')
    .split(/^table inet /m)
    .filter((table) => {
      const owner = parseOwner(kind, table.split(' ')[0] ?? '');
      return owner !== undefined && isWanted(owner);
    })
    .join('');
}
