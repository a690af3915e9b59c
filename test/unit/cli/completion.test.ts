import { describe, expect, it } from 'vitest';
import { operandAt, readArguments } from '../../../src/cli/completion-arguments.ts';
import { complete } from '../../../src/cli/completion-words.ts';
import { boolean, choice, Flag, optional, value } from '../../../src/cli/flag.ts';
import { COMMANDS } from '../../../src/cli/program.ts';
import { subcommand } from '../../../src/cli/subcommand.ts';

const FLAGS = [
  new Flag('all', boolean, 'all of them'),
  new Flag('name', value('NAME'), 'a name'),
  new Flag('net', optional('NETWORKS', 'default'), 'networks'),
  new Flag('order', choice('ORDER', ['asc', 'desc']), 'an order'),
];

/** The words that may end a line of a program with one command, `sort FILE DIR`, in a group. */
async function propose(line: string): Promise<string> {
  const load = async () => () => subcommand('box sort', 'sort things', FLAGS, 'FILE DIR');
  const sort = { name: 'sort', summary: 'sort things', load };
  const hidden = { name: 'sound', summary: '', hidden: true, load } as const;
  const box = { name: 'box', summary: 'things', commands: [sort, hidden] };
  const completion = await complete(line.split(' '), [box]);
  if (completion.kind !== 'words') return completion.kind;
  return completion.candidates.map(({ word }) => word).join(' ');
}

const GLOBAL =
  '--debug --dir= --system-config= --local-config= --user-config= --insecure-options= --trust-keys-from-https';

describe('what may end a line', () => {
  it.each([
    ['', 'box help'],
    ['b', 'box'],
    ['box ', 'sort help'],
    ['box so', 'sort'],
    ['help ', 'box'],
    ['help box ', 'sort'],
    ['help box sort ', ''],
    ['--di', '--dir='],
    ['--dir ', 'directories'],
    ['--dir=/x', 'directories'],
    ['--dir /x b', 'box'],
    ['--insecure-options=image,ht', '--insecure-options=image,http'],
    ['box sort --a', '--all'],
    ['box sort --', `--all --name= --net --net= --order= ${GLOBAL} --help`],
    ['box sort --n', '--name= --net --net='],
    ['box sort --name ', ''],
    ['box sort --name x ', 'files'],
    ['box sort --name=x y ', 'directories'],
    ['box sort --order ', 'asc desc'],
    ['box sort --order=d', '--order=desc'],
    ['box sort --all=', '--all=true --all=false'],
    ['box sort --nothing=', ''],
    ['box sort x y ', ''],
    ['box sort -- -x', 'files'],
  ])('after "%s"', async (line, expected) => {
    expect(await propose(line)).toBe(expected);
  });

  it.each([
    ['list --filter=', 'state= name= app= image= label='],
    ['list --filter=st', 'state='],
    ['list --filter state=ex', 'state=exited'],
    ['list --filter=state=e', 'state=embryo state=exited'],
    ['events --filter=event=app-e', 'event=app-exited'],
    ['list --filter=event=', ''],
    ['list --filter=app=', ''],
    ['list --filter=state=running,', ''],
    ['run --ulimit=no', 'nofile='],
    ['run --ulimit=nofile=', ''],
    ['run --seccomp=', 'mode= errno='],
    ['run --seccomp=mode=', 'mode=retain mode=remove'],
    ['run --seccomp=@default,mode=ret', '@default,mode=retain'],
    ['run --seccomp=mode=remove,', 'mode=remove,errno='],
    ['run --caps-retain=CAP_NET_', 'CAP_NET_BIND_SERVICE CAP_NET_BROADCAST CAP_NET_ADMIN CAP_NET_RAW'],
    ['run --caps-remove CAP_CHOWN,CAP_KI', 'CAP_CHOWN,CAP_KILL'],
  ])('knows what is before an =, and what may be behind it: "%s"', async (line, expected) => {
    const completion = await complete(line.split(' '), COMMANDS);
    const words = completion.kind === 'words' ? completion.candidates.map(({ word }) => word) : [];
    expect(words.map((word) => word.replace(/^--[a-z-]+=/, '')).join(' ')).toBe(expected);
  });

  it('says what a candidate is', async () => {
    expect(await complete(['versi'], COMMANDS)).toEqual({
      kind: 'words',
      candidates: [{ word: 'version', about: 'print the version of rkt' }],
    });
  });

  it('refuses what is no command', async () => {
    await expect(propose('sack ')).rejects.toThrow('unknown command "sack"');
  });

  it('leaves the arguments of an app to the shell, and knows the flags behind them', async () => {
    const words = (line: string) => complete(line.split(' '), COMMANDS);
    expect(await words('run a.aci -- --na')).toEqual({ kind: 'files' });
    expect(await words('run a.aci -- x --- --nam')).toMatchObject({ candidates: [{ word: '--name=' }] });
    expect(await words('run ./a')).toEqual({ kind: 'files' });
    expect(await words('enter --app=a 1234 ls --')).toEqual({ kind: 'files' });
    expect(await words('enter --ap')).toMatchObject({ candidates: [{ word: '--app=' }] });
  });
});

it('reads flags, operands and what is behind dashes', () => {
  const { flags, operands, afterDashes } = readArguments(FLAGS, [
    '--net',
    'x',
    '--name',
    'n',
    '-q',
    '--',
    '-y',
  ]);
  expect([Object.fromEntries(flags), operands, afterDashes]).toEqual([
    { net: ['default'], name: ['n'] },
    ['x', '-y'],
    true,
  ]);
});

it.each([
  ['[FLAGS] IMAGE FILE', ['IMAGE', 'FILE', undefined]],
  ['[FLAGS] UUID...', ['UUID', 'UUID', 'UUID']],
  ['[FLAGS] IMAGE [--signature=FILE] [IMAGE ...]', ['IMAGE', 'IMAGE', 'IMAGE']],
  ['[FLAGS] IMAGE [APP FLAGS] [-- ARGUMENT... [---]] [IMAGE ...]', ['IMAGE', 'IMAGE', 'IMAGE']],
  ['[FLAGS]', [undefined, undefined, undefined]],
])('the operands of %s', (usage, expected) => {
  expect([0, 1, 2].map((position) => operandAt(usage, position))).toEqual(expected);
});
