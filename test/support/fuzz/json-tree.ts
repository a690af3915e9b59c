/**
 * A JSON document that can be written as no program writes one: with a member twice, with numbers and strings that are no values
 * of JavaScript.
 */
export type JsonNode =
  | { readonly kind: 'object'; readonly members: [key: string, node: JsonNode][] }
  | { readonly kind: 'array'; readonly items: JsonNode[] }
  /** Written as it stands. */
  | { readonly kind: 'text'; readonly text: string };

export function jsonTree(value: unknown): JsonNode {
  if (Array.isArray(value)) return { kind: 'array', items: value.map(jsonTree) };
  if (typeof value !== 'object' || value === null) return { kind: 'text', text: JSON.stringify(value) };
  return { kind: 'object', members: Object.entries(value).map(([key, child]) => [key, jsonTree(child)]) };
}

export function formatTree(node: JsonNode): string {
  switch (node.kind) {
    case 'object':
      return `{${node.members.map(([key, child]) => `${JSON.stringify(key)}:${formatTree(child)}`).join(',')}}`;
    case 'array':
      return `[${node.items.map(formatTree).join(',')}]`;
    case 'text':
      return node.text;
    default:
      return node satisfies never;
  }
}

/** Where a node is: to be read, replaced, removed or doubled there. */
export interface JsonPlace {
  readonly node: JsonNode;
  replace(node: JsonNode): void;
  remove(): void;
  double(node: JsonNode): void;
}

/** Every place of a tree but its top. */
export function placesIn(node: JsonNode): JsonPlace[] {
  if (node.kind === 'text') return [];
  const children: [JsonNode, JsonPlace][] =
    node.kind === 'array'
      ? node.items.map((child, at) => [child, listPlace(node.items, at, child, (other) => other)])
      : node.members.map((member, at) => [
          member[1],
          listPlace(node.members, at, member[1], (other) => [member[0], other]),
        ]);
  return children.flatMap(([child, place]) => [place, ...placesIn(child)]);
}

function listPlace<T>(list: T[], at: number, node: JsonNode, wrap: (node: JsonNode) => T): JsonPlace {
  return {
    node,
    replace: (other) => void list.splice(at, 1, wrap(other)),
    remove: () => void list.splice(at, 1),
    double: (other) => void list.splice(at, 0, wrap(other)),
  };
}
