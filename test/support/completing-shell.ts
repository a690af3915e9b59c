import { dirname } from 'node:path';
import { RKT, type RktHome } from './rkt.ts';
import { TerminalCommand } from './terminal.ts';

const PATH = `${dirname(RKT)}:/usr/local/bin:/usr/bin:/bin`;
const ENVIRONMENT = { PATH, TERM: 'dumb', PS1: '> ', INPUTRC: '/dev/null', HOME: '/nonexistent' };

interface LineEditor {
  readonly argv: readonly string[];
  /** Typed first. */
  readonly setup: string;
  /** The keys that put all that is proposed into the line. */
  readonly keys: string;
}

/** How each shell is made to write all its proposals down. fish prints them when asked. */
const EDITORS: Readonly<Record<'bash' | 'zsh', LineEditor>> = {
  bash: {
    argv: ['bash', '--norc', '--noprofile', '-i'],
    setup: 'source <(rkt completion bash)',
    keys: '\x1b*',
  },
  zsh: {
    argv: ['zsh', '-f', '-i'],
    setup: [
      'bindkey -e; setopt interactive_comments',
      'autoload -Uz compinit && compinit -D -u',
      'zle -C all-matches complete-word _generic && bindkey "^X*" all-matches',
      'zstyle ":completion:all-matches::::" completer _all_matches _complete',
      'zstyle ":completion:all-matches:*" insert yes',
      'source <(rkt completion zsh)',
    ].join('; '),
    keys: '\x18*',
  },
};

/** What a shell proposes at the end of a line, where a person would press TAB; the words that stand there already included. */
export async function proposals(
  home: RktHome,
  shell: 'bash' | 'zsh' | 'fish',
  line: string,
): Promise<readonly string[]> {
  const words = shell === 'fish' ? await askFish(home, line) : await askEditor(home, EDITORS[shell], line);
  return [...words].sort();
}

async function askEditor(
  home: RktHome,
  { argv, setup, keys }: LineEditor,
  line: string,
): Promise<readonly string[]> {
  const terminal = new TerminalCommand(home, argv, { env: ENVIRONMENT });
  terminal.type(`${setup}; echo; echo set up: $((6 * 7))\n`);
  await terminal.waitFor(/^set up: 42\r*$/m);
  // Then to the line's start, to print it with what was put into it.
  terminal.type(`${line}${keys}\x01echo; echo line: \x05 :end\n`);
  const [, text = ''] = await terminal.waitFor(/^line: (.*) :end\r*$/m);
  terminal.type('exit\n');
  await terminal.finished;
  const kept = line.slice(0, line.lastIndexOf(' ') + 1).trim();
  return text.replace(/ +/g, ' ').slice(kept.length).trim().split(' ');
}

async function askFish(home: RktHome, line: string): Promise<readonly string[]> {
  const script = 'rkt completion fish | source; complete -C $argv[1]';
  const argv = ['fish', '--no-config', '-c', script, line];
  const { stdout } = await home.startArgv(argv, { env: ENVIRONMENT }).finished;
  return stdout.split('\n').flatMap((found) => found.split('\t')[0]?.trim() || []);
}
