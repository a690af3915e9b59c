/**
 * Rules of the host's packet filters that have a container's id in their comment, out of listings of all rules. A plugin's own DEL may
 * need to know what an ADD that was killed never told: the id it wrote into each rule is all that is left. Ids are unique.
 */

/**
 * Of `iptables-save`, what `iptables-restore --noflush` takes away; empty where there is nothing. `named`: chains that are known to be
 * the container's by their names, which may have no rule any more that tells it.
 */
export function iptablesSweep(saved: string, id: string, named: readonly string[] = []): string {
  return parseTables(saved)
    .map((table) => sweepTable(table, id, named))
    .join('');
}

interface Table {
  readonly name: string;
  /** Those that somebody has made, and that no packet comes to unless a rule leads there. */
  readonly chains: readonly string[];
  /** `-A CHAIN ...`. */
  readonly rules: readonly string[];
}

function parseTables(saved: string): Table[] {
  return saved
    .split(/^\*/m)
    .slice(1)
    .map((text) => {
      const [name = '', ...lines] = text.split('\n');
      const made = lines.map((line) => /^:(\S+) - /.exec(line)?.[1]).filter((chain) => chain !== undefined);
      return { name, chains: made, rules: lines.filter((line) => line.startsWith('-A ')) };
    });
}

function sweepTable({ name, chains, rules }: Table, id: string, named: readonly string[]): string {
  const old = rules.filter((rule) => commentOf(rule).includes(id) || named.includes(targetOf(rule)));
  const known = chains.filter((chain) => named.includes(chain));
  if (old.length === 0 && known.length === 0) return '';
  const kept = rules.filter((rule) => !old.includes(rule));
  const ledTo = (some: readonly string[]) => new Set(some.map(targetOf));
  const left = ledTo(kept);
  // What only the container's rules led to was the container's.
  const led = [...ledTo(old)].filter((chain) => chains.includes(chain) && !left.has(chain));
  const empty = [...new Set([...led, ...known])];
  const own = (rule: string) => empty.includes(chainOf(rule));
  return [
    `*${name}`,
    ...old.filter((rule) => !own(rule)).map((rule) => rule.replace('-A', '-D')),
    ...empty.map((chain) => `-F ${chain}`),
    ...empty.map((chain) => `-X ${chain}`),
    'COMMIT',
    '',
  ].join('\n');
}

/** Quotes within are written with a backslash. */
function commentOf(rule: string): string {
  const [, quoted, plain] = /--comment (?:"((?:\\.|[^"\\])*)"|(\S+))/.exec(rule) ?? [];
  return quoted ?? plain ?? '';
}

function chainOf(rule: string): string {
  return rule.split(' ')[1] ?? '';
}

function targetOf(rule: string): string {
  return / (?:-j|-g) (\S+)/.exec(rule.replace(/--comment "(?:\\.|[^"\\])*"/, ''))?.[1] ?? '';
}

/** Of `nft -a list ruleset`, what `nft -f` takes away, a line each. */
export function nftablesSweep(listed: string, id: string): string[] {
  let [table, chain] = ['', ''];
  return listed.split('\n').flatMap((line) => {
    table = /^table (\S+ .*) \{/.exec(line)?.[1] ?? table;
    chain = /^\tchain (\S+) \{/.exec(line)?.[1] ?? chain;
    const [, comment = '', handle] = /^\t\t.* comment "([^"]*)".* # handle (\d+)$/.exec(line) ?? [];
    return handle !== undefined && comment.includes(id)
      ? [`delete rule ${table} ${chain} handle ${handle}`]
      : [];
  });
}

/** Of a listing that has failed, by what it has said: because the kernel has no such rules at all. */
export function isWithoutRules(words: string): boolean {
  return NO_NETFILTER.test(words) || NO_TABLES.test(words);
}

const NO_NETFILTER = /(initialize Netlink socket|initialize nft): Protocol not supported/;
const NO_TABLES =
  /(cache initialization failed|fetch rule set generation id): (Invalid argument|Operation not supported)/;
