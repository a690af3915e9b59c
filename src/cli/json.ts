/** What is printed as JSON; times in nanoseconds are beyond a number's precision. */
export type JsonValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue | undefined };

/** JSON as rkt prints it: absent members are left out; `indent` is a TAB for people, empty for one line. */
export function formatJson(json: JsonValue, indent = ''): string {
  return format(json, indent, indent === '' ? '' : '\n');
}

function format(json: JsonValue, indent: string, newline: string): string {
  if (typeof json === 'bigint') return json.toString();
  if (json === null || typeof json !== 'object') return JSON.stringify(json);
  const deeper = newline + indent;
  const colon = indent === '' ? ':' : ': ';
  if (isList(json)) {
    const items = json.map((item) => deeper + format(item, indent, deeper));
    return items.length === 0 ? '[]' : `[${items.join(',')}${newline}]`;
  }
  const members = Object.entries(json).flatMap(([key, member]) =>
    member === undefined ? [] : [`${deeper}${JSON.stringify(key)}${colon}${format(member, indent, deeper)}`],
  );
  return members.length === 0 ? '{}' : `{${members.join(',')}${newline}}`;
}

// Array.isArray does not narrow to a readonly list.
function isList(json: object): json is readonly JsonValue[] {
  return Array.isArray(json);
}
