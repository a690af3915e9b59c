import type { Command } from 'commander';
import { versions } from '../stage0/version.ts';
import { print } from './output.ts';
import { subcommand } from './subcommand.ts';

export function versionCommand(summary: string): Command {
  return subcommand('version', summary)
    .allowExcessArguments(false)
    .action(() => {
      const { rkt, appc, os, arch } = versions();
      print(`rkt Version: ${rkt}\nappc Version: ${appc}\nNode Version: ${process.version}\n`);
      print(`Node OS/Arch: ${os}/${arch}\n`);
    });
}
