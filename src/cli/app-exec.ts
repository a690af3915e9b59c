import type { Command } from 'commander';
import { programCommand } from './enter.ts';

/** As `enter`, under the name that it has for the apps of a mutable pod. */
export function appExecCommand(summary: string): Command {
  return programCommand('app exec', summary);
}
