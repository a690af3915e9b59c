/** One archive an apt configuration names: the fields of sources.list(5) that matter here. */
export type AptSource = {
  readonly types: readonly string[];
  readonly uris: readonly string[];
  readonly suites: readonly string[];
  readonly components: readonly string[];
};

/** The mirrors of Debian itself: the release's archive, and its security archive where one is configured. */
export type DebianMirror = { readonly archive: string; readonly security: string | undefined };

const codenames =
  /^(buster|bullseye|bookworm|trixie|forky|oldstable|stable|testing|unstable|sid)(\/updates)?$/;
const suffixes = /-(security|updates|backports|proposed-updates)$/;

/** Parses the one-line format, `deb [options] URI SUITE COMPONENT...`; comments and blank lines are skipped. */
export function parseSourcesList(text: string): AptSource[] {
  return text.split('\n').flatMap((line) => {
    const match = /^\s*(deb|deb-src)\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s*([^#]*)/.exec(line);
    const [, type, uri, suite, components] = match ?? [];
    if (type === undefined || uri === undefined || suite === undefined) return [];
    return [{ types: [type], uris: [uri], suites: [suite], components: words(components) }];
  });
}

/** Parses the deb822 format of `*.sources`; stanzas with `Enabled: no` are left out. */
export function parseDeb822Sources(text: string): AptSource[] {
  const lines = text.split('\n').filter((line) => !line.startsWith('#'));
  return lines
    .join('\n')
    .split(/\n\s*\n/)
    .map(parseStanza)
    .filter((fields) => fields.has('uris') && !/^(no|false|0)$/i.test(fields.get('enabled') ?? ''))
    .map((fields) => ({
      types: words(fields.get('types')),
      uris: words(fields.get('uris')),
      suites: words(fields.get('suites')),
      components: words(fields.get('components')),
    }));
}

/** Picks Debian's own archives among all that are configured; undefined when there is none. */
export function debianMirror(sources: readonly AptSource[]): DebianMirror | undefined {
  const ofDebian = sources.filter(
    ({ suites, components }) =>
      components.includes('main') && suites.some((suite) => codenames.test(suite.replace(suffixes, ''))),
  );
  const isSecurity = ({ suites }: AptSource) => suites.some((s) => /-security$|\/updates$/.test(s));
  const archive = ofDebian.find((source) => !source.suites.every((s) => suffixes.test(s) || s.includes('/')));
  const security = ofDebian.find(isSecurity)?.uris[0];
  const uri = archive?.uris[0];
  return uri === undefined ? undefined : { archive: uri, security };
}

/** The text of a `*.sources` file that names one release on the given mirror, binaries and sources. */
export function formatRelease(mirror: DebianMirror, release: string, keyring: string): string {
  const stanza = (uri: string, suites: string) =>
    `Types: deb deb-src\nURIs: ${uri}\nSuites: ${suites}\nComponents: main\nSigned-By: ${keyring}\n`;
  const archive = stanza(mirror.archive, `${release} ${release}-updates`);
  return mirror.security === undefined
    ? archive
    : `${archive}\n${stanza(mirror.security, `${release}-security`)}`;
}

function parseStanza(text: string): Map<string, string> {
  const fields = new Map<string, string>();
  let current: string | undefined;
  for (const line of text.split('\n')) {
    const field = /^([A-Za-z-]+):\s*(.*)$/.exec(line);
    if (field?.[1] !== undefined) {
      current = field[1].toLowerCase();
      fields.set(current, field[2] ?? '');
    } else if (current !== undefined && /^\s/.test(line)) {
      fields.set(current, `${fields.get(current)} ${line.trim()}`);
    }
  }
  return fields;
}

function words(text: string | undefined): string[] {
  return (text ?? '').split(/\s+/).filter((word) => word !== '');
}
