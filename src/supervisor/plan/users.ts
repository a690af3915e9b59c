/**
 * From the users and groups of a manifest to numbers: a number, a name that the image's /etc/passwd or /etc/group knows, or the
 * absolute path of a file in the image, whose owner is meant (appc 0.8.11, aci.md). Pure.
 */
import type { IdRange } from '../../abi/id-range.ts';
import { SupervisorError } from '../error.ts';

/** What an image tells of its users. */
export interface UserDatabase {
  /** The texts of /etc/passwd and /etc/group; empty where the image has none. */
  readonly passwd: string;
  readonly group: string;
  /** Owner of a file in the image. */
  owner(path: string): { readonly uid: number; readonly gid: number } | undefined;
}

export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  readonly shell: string;
}

export interface Identity {
  readonly uid: number;
  readonly gid: number;
  /** The entry of /etc/passwd for the uid. */
  readonly account: Account | undefined;
}

export interface Wanted {
  readonly user: string;
  readonly group: string;
}

/** (uid_t) -1 means "no id" to the kernel. */
const HIGHEST_ID = 4294967294;

/** @throws SupervisorError `unknown-user` */
export function resolveIdentity({ user, group }: Wanted, database: UserDatabase): Identity {
  const accounts = parsePasswd(database.passwd);
  const uid = resolveUser(user, accounts, database);
  const account = accounts.find((candidate) => candidate.uid === uid);
  return { uid, gid: resolveGroup(group, user, account, database), account };
}

/** Of a pod with users of its own. @throws SupervisorError `unknown-user` */
export function checkInside(numbers: readonly number[], { count }: IdRange): void {
  const outside = numbers.find((id) => id >= count);
  if (outside === undefined) return;
  throw new SupervisorError(
    'unknown-user',
    `--private-users: a pod's ids are 0 to ${count - 1}, not ${outside}`,
  );
}

function resolveUser(user: string, accounts: readonly Account[], database: UserDatabase): number {
  const uid =
    numberOf(user) ?? ownerOf(user, database)?.uid ?? accounts.find(({ name }) => name === user)?.uid;
  if (uid === undefined) throw unknown('user', user, '/etc/passwd');
  return uid;
}

/** Docker images that name only a user get that name as their group as well: then the user's own group is meant. */
function resolveGroup(
  group: string,
  user: string,
  account: Account | undefined,
  database: UserDatabase,
): number {
  const own = group === user ? account?.gid : undefined;
  const gid = numberOf(group) ?? ownerOf(group, database)?.gid ?? groupNumber(group, database.group) ?? own;
  if (gid === undefined) throw unknown('group', group, '/etc/group');
  return gid;
}

function unknown(what: string, name: string, file: string): SupervisorError {
  const where = name.startsWith('/')
    ? 'there is no such file in the image'
    : `it is not in the image's ${file}`;
  return new SupervisorError('unknown-user', `${what} ${JSON.stringify(name)}: ${where}`);
}

function numberOf(text: string): number | undefined {
  if (!/^\d{1,10}$/.test(text)) return undefined;
  const id = Number(text);
  return id < HIGHEST_ID ? id : undefined;
}

function ownerOf(name: string, database: UserDatabase): { uid: number; gid: number } | undefined {
  return name.startsWith('/') ? database.owner(name) : undefined;
}

/** Lines that are none are skipped, as libc does: the file is the image's. */
function parsePasswd(text: string): Account[] {
  return text.split('\n').flatMap((line): Account[] => {
    const [name, , uid, gid, , home, shell] = line.split(':');
    const ids = [numberOf(uid ?? ''), numberOf(gid ?? '')] as const;
    if (name === undefined || name === '' || ids[0] === undefined || ids[1] === undefined) return [];
    return [{ name, uid: ids[0], gid: ids[1], home: home || '/', shell: shell || '/bin/sh' }];
  });
}

function groupNumber(group: string, text: string): number | undefined {
  for (const line of text.split('\n')) {
    const [name, , gid] = line.split(':');
    if (name === group) return numberOf(gid ?? '');
  }
  return undefined;
}
