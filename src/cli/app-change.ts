import type { Command } from 'commander';
import { type AppChange, removeApp, startApp, stopApp } from '../stage0/app-change.ts';
import { type Host, openHost } from '../stage0/host.ts';
import { appFlag, requiredApp } from './app-flags.ts';
import { type GlobalValues, hostOptions } from './global-flags.ts';
import { interruptible } from './interruption.ts';
import { requireRoot, subcommand } from './subcommand.ts';
import { uuidArgument } from './uuid-file.ts';

interface Values extends GlobalValues {
  readonly app?: string;
}

type Change = (host: Host, change: AppChange, signal: AbortSignal) => Promise<void>;

export function appStartCommand(summary: string): Command {
  return changeCommand('app start', summary, startApp);
}

export function appStopCommand(summary: string): Command {
  return changeCommand('app stop', summary, stopApp);
}

export function appRmCommand(summary: string): Command {
  return changeCommand('app rm', summary, removeApp);
}

function changeCommand(name: string, summary: string, change: Change): Command {
  return subcommand(name, summary, [appFlag()], 'UUID')
    .argument('[UUID]')
    .allowExcessArguments(false)
    .action(async (word: string | undefined, values: Values) => {
      requireRoot();
      const uuid = uuidArgument(word === undefined ? [] : [word], undefined);
      const app = requiredApp(values.app);
      const host = openHost(hostOptions(values));
      await interruptible((signal) => change(host, { uuid, app }, signal));
    });
}
