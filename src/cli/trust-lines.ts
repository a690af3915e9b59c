import type { KeyReview, KeyScope, TrustEvent } from '../stage0/trust.ts';
import { printable } from './printable.ts';

/** What is said of keys that come to be trusted, in rkt's words. */
export function trustLines(event: TrustEvent): readonly string[] {
  switch (event.kind) {
    case 'key-found':
      return keyLines(event);
    case 'key-declined':
      return [`not trusting ${JSON.stringify(event.location)}`];
    case 'key-accepted': {
      const how = event.reviewed ? 'after' : 'without';
      return [
        `Trusting ${JSON.stringify(event.location)} for prefix ${prefixOf(event.scope)} ${how} fingerprint review.`,
      ];
    }
    case 'key-added':
      return [
        event.scope.kind === 'root'
          ? `Added root key at ${JSON.stringify(event.path)}`
          : `Added key for prefix ${prefixOf(event.scope)} at ${JSON.stringify(event.path)}`,
      ];
    default:
      return event satisfies never;
  }
}

/** What somebody has to look at to say whether a key is the right one. */
function keyLines({ scope, location, keys }: KeyReview): readonly string[] {
  const lines = keys.flatMap(({ fingerprint, subkeyFingerprints, identities }) => [
    `gpg key fingerprint is: ${formatFingerprint(fingerprint)}`,
    ...subkeyFingerprints.map((subkey) => `    Subkey fingerprint: ${formatFingerprint(subkey)}`),
    ...identities.map((identity) => `    ${printable(identity)}`),
  ]);
  return [`prefix: ${prefixOf(scope)}`, `key: ${JSON.stringify(location)}`, ...lines];
}

function prefixOf(scope: KeyScope): string {
  return JSON.stringify(scope.kind === 'root' ? '' : scope.prefix);
}

/** As gpg shows it: `18AD 5014 C99E F7E3 BA5F  6CE9 50BD D3E0 FC8A 365E`. */
function formatFingerprint(hex: string): string {
  const groups = hex.toUpperCase().match(/.{1,4}/g) ?? [];
  const half = Math.ceil(groups.length / 2);
  return [groups.slice(0, half), groups.slice(half)].map((part) => part.join(' ')).join('  ');
}
