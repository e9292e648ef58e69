import type { RowCollector } from "./collect-rows.ts";
import { isObject, membersOf, textOf, wholeNumberOf } from "./json-fields.ts";
import { addPrice } from "./json-price.ts";
import type { JsonMember, JsonObject } from "./json-tree.ts";
import { type Band, NO_BAND } from "./price-row.ts";

const MILLION = 1_000_000n;

/** What the keys of `cost` price, and for how many units. */
const KINDS: ReadonlyMap<string, { readonly kind: string; readonly per: bigint }> = new Map([
  ["input", { kind: "input_tokens", per: MILLION }],
  ["output", { kind: "output_tokens", per: MILLION }],
  ["reasoning", { kind: "reasoning_tokens", per: MILLION }],
  ["cache_read", { kind: "cache_read_tokens", per: MILLION }],
  ["cache_write", { kind: "cache_write_tokens", per: MILLION }],
  ["input_audio", { kind: "input_audio_tokens", per: MILLION }],
  ["output_audio", { kind: "output_audio_tokens", per: MILLION }],
  ["per_minute", { kind: "minutes", per: 1n }],
]);

const TIERS = "tiers";
/** What older readers find in place of `tiers`. */
const OVER_200K = "context_over_200k";

/** True when an object seems to be models.dev's api.json. */
export function isModelsDev(file: JsonObject): boolean {
  return file.members.some(
    ({ value }) => isObject(value) && membersOf(value, "models").some((of) => isObject(of.value)),
  );
}

/** Reads models.dev's file: USD for a million tokens by provider, model and key of its `cost`. */
export function readModelsDev(file: JsonObject, found: RowCollector): void {
  for (const { name: provider, line, value } of file.members) {
    if (isObject(value)) {
      for (const models of membersOf(value, "models")) readModels(provider, models, found);
    } else found.refuse(line, provider, "must be an object with a provider's models");
  }
}

function readModels(provider: string, { line, value }: JsonMember, found: RowCollector): void {
  const field = `${provider}.models`;
  if (!isObject(value)) {
    found.refuse(line, field, "must be an object of models");
    return;
  }
  for (const { name: model, line: at, value: entry } of value.members) {
    const ofModel = `${field}.${model}`;
    if (!isObject(entry)) found.refuse(at, ofModel, "must be an object with a model's cost");
    else {
      const whose: Whose = { provider, model, field: `${ofModel}.cost` };
      for (const cost of membersOf(entry, "cost")) readCost(whose, cost, found);
      leaveOutModes(entry, found);
    }
  }
}

/** Modes that are on trial have a cost of their own. */
function leaveOutModes(entry: JsonObject, found: RowCollector): void {
  for (const { value: experimental } of membersOf(entry, "experimental")) {
    if (!isObject(experimental)) continue;
    for (const { line } of membersOf(experimental, "modes")) {
      found.leaveOut("experimental.modes", line);
    }
  }
}

/** Whose cost is read, and where it is. */
interface Whose {
  readonly provider: string;
  readonly model: string;
  readonly field: string;
}

function readCost(whose: Whose, { line, value }: JsonMember, found: RowCollector): void {
  if (value.kind === "null") return;
  if (!isObject(value)) {
    found.refuse(line, whose.field, "must be an object with prices");
    return;
  }
  const hasTiers = membersOf(value, TIERS).length > 0;
  for (const member of value.members) {
    const field = `${whose.field}.${member.name}`;
    if (member.name === TIERS) readTiers({ ...whose, field }, member, found);
    else if (member.name !== OVER_200K) readPrice(whose, member, NO_BAND, found);
    else if (!hasTiers) readOver200K({ ...whose, field }, member, found);
  }
}

function readPrice(whose: Whose, member: JsonMember, band: Band, found: RowCollector): void {
  const priced = KINDS.get(member.name);
  if (priced === undefined) {
    found.leaveOut(`cost.${member.name}`, member.line);
    return;
  }
  const { provider, model, field } = whose;
  const key = { provider, model, kind: priced.kind, band };
  addPrice(found, key, priced.per, member, `${field}.${member.name}`);
}

function readOver200K(whose: Whose, { line, value }: JsonMember, found: RowCollector): void {
  if (value.kind === "null") return;
  if (!isObject(value)) {
    found.refuse(line, whose.field, "must be an object with prices");
    return;
  }
  const band: Band = { of: "context", from: 200_001n };
  for (const member of value.members) readPrice(whose, member, band, found);
}

/** Tiers begin at the `size` of their context. */
function readTiers(whose: Whose, { line, value }: JsonMember, found: RowCollector): void {
  if (value.kind === "null") return;
  if (value.kind !== "list") {
    found.refuse(line, whose.field, "must be a list of tiers");
    return;
  }
  for (const [at, tier] of value.items.entries()) {
    const ofTier = { ...whose, field: `${whose.field}[${at}]` };
    const bounds = isObject(tier) ? membersOf(tier, "tier")[0]?.value : undefined;
    if (!isObject(tier) || bounds === undefined || !isObject(bounds)) {
      found.refuse(tier.line, ofTier.field, "must be an object with prices and its tier");
    } else if (textOf(bounds, "type") !== "context") found.leaveOut("cost.tiers", tier.line);
    else readTier(ofTier, tier, bounds, found);
  }
}

function readTier(whose: Whose, tier: JsonObject, bounds: JsonObject, found: RowCollector): void {
  const [size, second] = membersOf(bounds, "size");
  const from = second === undefined ? wholeNumberOf(size?.value) : null;
  if (from === null) {
    const field = `${whose.field}.tier.size`;
    found.refuse(bounds.line, field, "must be a whole number, stated once");
    return;
  }
  const band: Band = from === 0n ? NO_BAND : { of: "context", from };
  for (const member of tier.members) {
    if (member.name !== "tier") readPrice(whose, member, band, found);
  }
}
