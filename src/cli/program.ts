import { Command } from 'commander';
import { EXIT } from '../abi/exit-code.ts';
import { APP_COMMANDS } from './app.ts';
import { type CommandEntry, type Entry, type GroupEntry, readCommandLine } from './command-line.ts';
import { exitCodeFor } from './exit-code.ts';
import { normalize } from './flag.ts';
import { GLOBAL_FLAGS } from './global-flags.ts';
import { IMAGE_COMMANDS } from './image.ts';
import { complain, print, warn } from './output.ts';
import { TEMPLATE_COMMANDS } from './template.ts';
import { VOLUME_COMMANDS } from './volume.ts';

/** Every command, in the order of the help. */
export const COMMANDS: readonly Entry[] = [
  {
    name: 'analyze',
    summary: "show where the time of a pod's start went",
    added: true,
    load: async () => (await import('./analyze.ts')).analyzeCommand,
  },
  { name: 'app', summary: 'manage the apps of mutable pods', commands: APP_COMMANDS },
  {
    name: 'attach',
    summary: 'attach to the streams or the terminal of a running app',
    load: async () => (await import('./attach.ts')).attachCommand,
  },
  {
    name: 'cat-manifest',
    summary: 'print the manifest of a pod',
    load: async () => (await import('./cat-manifest.ts')).catManifestCommand,
  },
  {
    name: 'completion',
    summary: 'print the script that makes a shell complete command lines of rkt',
    load: async () => (await import('./completion.ts')).completionCommand,
  },
  {
    name: '__complete',
    summary: 'print what may stand at the end of a command line',
    // For the scripts of `completion`.
    hidden: true,
    load: async () => {
      const { completeCommand } = await import('./completion.ts');
      return (summary) => completeCommand(summary, COMMANDS);
    },
  },
  {
    name: '__remove',
    summary: 'remove a pod that has just ended',
    // What the supervisor of a pod of --rm calls in the end.
    hidden: true,
    load: async () => (await import('./remove.ts')).removeCommand,
  },
  {
    name: 'config',
    summary: 'print the configuration, secrets included',
    load: async () => (await import('./config.ts')).configCommand,
  },
  {
    name: 'cp',
    summary: 'copy files into and out of an app',
    added: true,
    load: async () => (await import('./cp.ts')).cpCommand,
  },
  {
    name: 'enter',
    summary: 'run a program in a running app',
    startsProgram: true,
    load: async () => (await import('./enter.ts')).enterCommand,
  },
  {
    name: 'events',
    summary: 'print what happens to pods, as it happens',
    added: true,
    load: async () => (await import('./events.ts')).eventsCommand,
  },
  {
    name: 'export',
    summary: 'write an app of a pod that has exited to a file, as an image',
    load: async () => (await import('./export.ts')).exportCommand,
  },
  {
    name: 'fetch',
    summary: 'fetch images into the store',
    load: async () => (await import('./fetch.ts')).fetchCommand,
  },
  {
    name: 'gc',
    summary: 'remove pods that have ended, after a grace period',
    load: async () => (await import('./gc.ts')).gcCommand,
  },
  { name: 'image', summary: 'manage the images in the store', commands: IMAGE_COMMANDS },
  {
    name: 'inspect',
    summary: 'print all that is known of pods, as JSON',
    added: true,
    load: async () => (await import('./inspect.ts')).inspectCommand,
  },
  { name: 'list', summary: 'list pods', load: async () => (await import('./list.ts')).listCommand },
  {
    name: 'logs',
    summary: 'print what the apps of a pod have written',
    added: true,
    load: async () => (await import('./logs.ts')).logsCommand,
  },
  {
    name: 'metadata-service',
    summary: 'tell pods who they are, and sign for them, until it is stopped',
    load: async () => (await import('./metadata-service.ts')).metadataServiceCommand,
  },
  {
    name: 'pause',
    summary: 'let pods that run stand still',
    added: true,
    load: async () => (await import('./pause.ts')).pauseCommand,
  },
  {
    name: 'prepare',
    summary: 'prepare a pod that run-prepared runs',
    load: async () => (await import('./prepare.ts')).prepareCommand,
  },
  {
    name: 'resume',
    summary: 'let paused pods go on',
    added: true,
    load: async () => (await import('./pause.ts')).resumeCommand,
  },
  {
    name: 'rm',
    summary: 'remove pods that do not run, and what they have left',
    load: async () => (await import('./rm.ts')).rmCommand,
  },
  {
    name: 'run',
    summary: 'run images in a new pod',
    load: async () => (await import('./run.ts')).runCommand,
  },
  {
    name: 'run-prepared',
    summary: 'run a pod that was prepared',
    load: async () => (await import('./run-prepared.ts')).runPreparedCommand,
  },
  {
    name: 'stats',
    summary: 'print what pods and their apps use',
    added: true,
    load: async () => (await import('./stats.ts')).statsCommand,
  },
  {
    name: 'status',
    summary: 'print the status of a pod',
    load: async () => (await import('./status.ts')).statusCommand,
  },
  {
    name: 'stop',
    summary: 'end pods that run',
    load: async () => (await import('./stop.ts')).stopCommand,
  },
  {
    name: 'template',
    summary: 'manage saved machines that pods start from',
    added: true,
    commands: TEMPLATE_COMMANDS,
  },
  {
    name: 'top',
    summary: 'show which apps use the processors most',
    added: true,
    load: async () => (await import('./top.ts')).topCommand,
  },
  {
    name: 'trust',
    summary: 'trust keys that sign images',
    load: async () => (await import('./trust.ts')).trustCommand,
  },
  {
    name: 'version',
    summary: 'print the version of rkt',
    load: async () => (await import('./version.ts')).versionCommand,
  },
  { name: 'volume', summary: 'manage volumes that outlive pods', added: true, commands: VOLUME_COMMANDS },
  {
    name: 'wait',
    summary: 'wait until pods have ended, and print their exit codes',
    added: true,
    load: async () => (await import('./wait.ts')).waitCommand,
  },
];

/** Runs a command line (without program and script) and gives its exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  let name = 'rkt';
  let failure: number = EXIT.failure;
  try {
    const invocation = readCommandLine(argv, COMMANDS);
    switch (invocation.kind) {
      case 'command':
        name = invocation.entry.name;
        failure = invocation.entry.failure ?? failure;
        await execute(invocation.entry, invocation.args);
        return Number(process.exitCode ?? EXIT.ok);
      case 'help':
        await help(invocation.entry);
        return EXIT.ok;
      case 'missing-command':
        warn(invocation.group?.name ?? name, 'missing command');
        process.stderr.write(overviewText(invocation.group));
        return EXIT.missingCommand;
      default:
        return invocation satisfies never;
    }
  } catch (error) {
    const code = exitCodeFor(error, failure);
    if (code !== EXIT.ok) complain(name, error, argv.includes('--debug'));
    return code;
  }
}

async function execute(entry: CommandEntry, args: readonly string[]): Promise<void> {
  const factory = await entry.load();
  const command = factory(entry.summary, args);
  await command.parseAsync(normalize(command, args, entry.startsProgram), { from: 'user' });
}

async function help(entry: Entry | undefined): Promise<void> {
  if (entry === undefined || 'commands' in entry) print(overviewText(entry));
  else await execute(entry, ['--help']);
}

/** What the overview of the help is about. */
export const PROGRAM = {
  name: '',
  summary: 'runs pods: groups of apps, each pod in its own virtual machine',
  commands: COMMANDS,
};

function overviewText({ name, summary, commands }: GroupEntry = PROGRAM): string {
  const program = new Command(`rkt ${name}`.trimEnd())
    .description(summary)
    .usage('[FLAGS] COMMAND')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [COMMAND]', 'print the help of a command');
  for (const entry of commands)
    if (entry.hidden !== true) program.command(entry.name).description(entry.summary);
  for (const flag of GLOBAL_FLAGS) program.addOption(flag.helpGroup('Global flags:'));
  return program.helpInformation();
}
