import type { RowCollector } from "./collect-rows.ts";
import { isObject, membersOf, textOf, wholeNumberOf } from "./json-fields.ts";
import { addPrice } from "./json-price.ts";
import type { JsonMember, JsonObject } from "./json-tree.ts";
import { pricedBy, SEARCH_KEY, SEARCH_KINDS, soundsLikePrice } from "./litellm-keys.ts";
import { type Band, NO_BAND } from "./price-row.ts";

const PROVIDER = "litellm_provider";
/** An entry that explains the others. */
const EXPLANATION = "sample_spec";

/** True when an object seems to be LiteLLM's model_prices_and_context_window.json. */
export function isLiteLlm(file: JsonObject): boolean {
  return file.members.some(({ value }) => isObject(value) && membersOf(value, PROVIDER).length > 0);
}

/** Reads LiteLLM's file: USD by model and key, for one token, second, image and so on. */
export function readLiteLlm(file: JsonObject, found: RowCollector): void {
  for (const { name, line, value } of file.members) {
    if (name === EXPLANATION) continue;
    if (!isObject(value)) found.refuse(line, name, "must be an object with a model's prices");
    else readModel(name, value, found);
  }
}

function readModel(model: string, entry: JsonObject, found: RowCollector): void {
  const priced = entry.members.filter(({ name }) => soundsLikePrice(name));
  if (priced.length === 0) return;
  const provider = textOf(entry, PROVIDER);
  if (provider === null) {
    const field = `${model}.${PROVIDER}`;
    found.refuse(entry.line, field, "must be stated, once and as text");
    return;
  }
  for (const member of priced) readMember({ provider, model }, member, found);
}

/** Whose prices are read. */
interface Whose {
  readonly provider: string;
  readonly model: string;
}

function readMember(whose: Whose, member: JsonMember, found: RowCollector): void {
  const field = `${whose.model}.${member.name}`;
  if (member.name === "tiered_pricing") readTiers(whose, member, found);
  else if (member.name === SEARCH_KEY) readSearches(whose, member, found);
  else readPrice(whose, member, field, null, found);
}

/** Reads a price, in a band of a list of bands or, with null, in the band that its key names. */
function readPrice(
  whose: Whose,
  member: JsonMember,
  field: string,
  band: Band | null,
  found: RowCollector,
): void {
  const priced = pricedBy(member.name);
  if (priced === null) found.leaveOut(member.name, member.line);
  else {
    const key = { ...whose, kind: priced.kind, band: band ?? priced.band };
    addPrice(found, key, priced.per, member, field);
  }
}

function readSearches(whose: Whose, { name, line, value }: JsonMember, found: RowCollector): void {
  if (value.kind === "null") return;
  if (!isObject(value)) {
    found.leaveOut(name, line);
    return;
  }
  for (const member of value.members) {
    const kind = SEARCH_KINDS.get(member.name);
    if (kind === undefined) found.leaveOut(`${name}.${member.name}`, member.line);
    else {
      const key = { ...whose, kind, band: NO_BAND };
      addPrice(found, key, 1n, member, `${whose.model}.${name}.${member.name}`);
    }
  }
}

/**
 * Prices by ranges of the input: `"range": [from, to]` holds above `from`, up to and with `to`. Where ranges leave
 * a gap, the lower one goes on.
 */
function readTiers(whose: Whose, { name, line, value }: JsonMember, found: RowCollector): void {
  if (value.kind === "null") return;
  if (value.kind !== "list") {
    found.leaveOut(name, line);
    return;
  }
  for (const [at, tier] of value.items.entries()) {
    const field = `${whose.model}.${name}[${at}]`;
    const range = isObject(tier) ? membersOf(tier, "range")[0]?.value : undefined;
    const from = range?.kind === "list" ? wholeNumberOf(range.items[0]) : null;
    if (!isObject(tier) || range?.kind !== "list") found.leaveOut(name, tier.line);
    else if (from !== null) readTier(whose, tier, field, from, found);
    else found.refuse(range.line, `${field}.range`, "must begin with a whole number");
  }
}

function readTier(
  whose: Whose,
  tier: JsonObject,
  field: string,
  above: bigint,
  found: RowCollector,
): void {
  const band: Band = above === 0n ? NO_BAND : { of: "context", from: above + 1n };
  for (const member of tier.members) {
    if (!soundsLikePrice(member.name)) continue;
    readPrice(whose, member, `${field}.${member.name}`, band, found);
  }
}
