import type { Command } from 'commander';
import { versions } from '../stage0/version.ts';
import { print } from './output.ts';
import { subcommand } from './subcommand.ts';

export function versionCommand(): Command {
  return subcommand('version', 'print the version of rkt')
    .allowExcessArguments(false)
    .action(() => {
      const { rkt, appc, os, arch } = versions();
      print(`rkt Version: ${rkt}\nappc Version: ${appc}\nNode Version: ${process.version}\n`);
      print(`Node OS/Arch: ${os}/${arch}\n`);
    });
}
