import { readFileSync } from 'node:fs';
import { TestSupportError } from './error.ts';

/** The pid of the child of that process whose program is called so. */
export function childOf(pid: number, name: string): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);
  const found = children.find((child) => readFileSync(`/proc/${child}/comm`, 'utf8').trim() === name);
  if (found === undefined)
    throw new TestSupportError('BAD_OUTPUT', `no ${name} among the children of ${pid}`);
  return found;
}
