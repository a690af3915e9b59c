/** How portmap is to publish ports. */
import type { FieldReader } from '../../src/abi/json.ts';
import { CNI_ERROR, CniError } from '../../src/net/cni/errors.ts';
import { badConfiguration } from '../failure.ts';
import { flag, number, text, word } from '../options.ts';
import { type Backend, standardBackend } from '../packet-rules.ts';
import type { PluginRequest } from '../request.ts';

const BACKENDS = { nftables: true, iptables: true } as const;
const MANY_CONDITIONS = 256;
const STANDARD_MARK_BIT = 13;
const HIGHEST_BIT = 31;

export interface PortmapOptions {
  readonly backend: Backend;
  /** What comes from the container itself, or from the host's localhost, is masqueraded: no answer would find its way otherwise. */
  readonly snat: boolean;
  /** Whatever comes is. */
  readonly masqAll: boolean;
  /** A chain of somebody else's that marks what is to be masqueraded, and who also does that. */
  readonly markChain: string | undefined;
  readonly markBit: number;
  /** More that a packet must be, in the backend's language. */
  readonly conditions: { readonly v4: readonly string[]; readonly v6: readonly string[] };
}

export function portmapOptions({ config: { fields } }: PluginRequest): PortmapOptions {
  const markChain = text(fields, 'externalSetMarkChain');
  const markBit = number(fields, 'markMasqBit', 0, HIGHEST_BIT);
  if (markChain !== undefined && markBit !== undefined)
    throw badConfiguration('externalSetMarkChain and markMasqBit exclude each other');
  if (markChain !== undefined && !/^[A-Za-z0-9_.:-]{1,28}$/.test(markChain))
    throw badConfiguration(`externalSetMarkChain '${markChain}' is no name of a chain`);
  const conditions = { v4: conditionsOf(fields, 'conditionsV4'), v6: conditionsOf(fields, 'conditionsV6') };
  const style = styleOf([...conditions.v4.slice(0, 1), ...conditions.v6.slice(0, 1)]);
  const marks = markChain ?? markBit;
  const backend = chooseBackend(fields, marks === undefined ? style : 'iptables');
  if (backend === 'nftables' && marks !== undefined)
    throw new CniError(
      CNI_ERROR.unsupportedField,
      'externalSetMarkChain and markMasqBit are of the backend iptables',
    );
  if (style !== undefined && style !== backend)
    throw badConfiguration(`conditionsV4 and conditionsV6 are not in the language of ${backend}`);
  return {
    backend,
    snat: flag(fields, 'snat', true),
    masqAll: flag(fields, 'masqAll'),
    markChain,
    markBit: markBit ?? STANDARD_MARK_BIT,
    conditions,
  };
}

function chooseBackend(fields: FieldReader, implied: Backend | undefined): Backend {
  if (!fields.has('backend')) return implied ?? standardBackend();
  return word(fields, 'backend', BACKENDS, 'nftables');
}

/** Conditions of iptables begin with an option; those of nftables do with a word. */
function styleOf(beginnings: readonly string[]): Backend | undefined {
  const [first, second = first] = beginnings.map((text) => (/^[-!]/.test(text) ? 'iptables' : 'nftables'));
  if (first !== second)
    throw badConfiguration('conditionsV4 and conditionsV6 are of two languages: iptables and nftables');
  return first;
}

/** They become a part of one rule: what would end it, or begin another, is none. */
function conditionsOf(fields: FieldReader, key: string): readonly string[] {
  const conditions = fields.has(key) ? fields.texts(key, MANY_CONDITIONS) : [];
  const wrong = conditions.find((condition) => condition === '' || /[\n\r;#"\\]/.test(condition));
  if (wrong !== undefined) throw badConfiguration(`${key} has '${wrong}', which is no condition of a rule`);
  return conditions;
}
