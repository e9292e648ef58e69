/** What a meter counts, for people: "1 query", "2 queries". */
export interface Unit {
  readonly one: string;
  readonly many: string;
}

/**
 * How people read a meter, a plan, an add-on, or usage by dimensions. It has no versions, and no price depends on it.
 */
export interface DisplayName {
  readonly what: "meter" | "plan" | "add_on" | "dimension" | "dimension_value";
  /** Of a value `model=gpt-5`; a dimension whose name holds "=" has no named values. */
  readonly id: string;
  /** Null: it has none, and its id is shown. */
  readonly name: string | null;
  /** A meter's; null: it has none. */
  readonly unit: Unit | null;
  /** Who set it, as far as that is known. */
  readonly setBy?: string | null;
}

/** What a requested name changes. */
export interface NameChange extends DisplayName {
  readonly kind: "named" | "unchanged";
  /** What it replaces; null: there was neither name nor unit, or nothing changes. */
  readonly replaces: Pick<DisplayName, "name" | "unit"> | null;
}

/** Decides what requested names change. What a request leaves out stays as it is. */
export function decideNames(
  requested: readonly DisplayName[],
  existing: readonly DisplayName[],
): NameChange[] {
  const known = new Map(existing.map((display) => [keyOf(display), display]));
  return requested.map((display) => {
    const { what, id } = display;
    const before = known.get(keyOf(display)) ?? null;
    const name = display.name ?? before?.name ?? null;
    const unit = display.unit ?? before?.unit ?? null;
    if (before?.name === name && isSameUnit(before.unit, unit)) {
      return { kind: "unchanged", what, id, name, unit, replaces: null };
    }
    const replaces = before && { name: before.name, unit: before.unit };
    return { kind: "named", what, id, name, unit, replaces };
  });
}

/** True for the same words, or none. */
export function isSameUnit(a: Unit | null, b: Unit | null): boolean {
  return a?.one === b?.one && a?.many === b?.many;
}

function keyOf({ what, id }: DisplayName): string {
  return `${what} ${id}`;
}

const MAX_NAME_LENGTH = 60;

const BREAKS_LINES = /[\p{Cc}\p{Zl}\p{Zp}]/u;
const TURNS_TEXT = /\p{Bidi_Control}/u;
const IS_SEEN = /[^\p{Z}\p{C}\p{Default_Ignorable_Code_Point}]/u;

/**
 * Why people cannot be shown `text` as a name or a unit; null: they can. It is one line of 1 to 60
 * characters that shows something. Marks that turn the direction of text (Unicode's Bidi_Control) are
 * refused, because they reorder what stands beside the name; letters written from right to left, emojis
 * and the signs of HTML are allowed, and shown as they are.
 */
export function nameProblem(text: string): string | null {
  const length = [...text].length;
  if (length > MAX_NAME_LENGTH) {
    return `has ${length} characters; at most ${MAX_NAME_LENGTH} are allowed`;
  }
  if (!text.isWellFormed()) return "holds half of a surrogate pair";
  if (BREAKS_LINES.test(text)) return "holds a line break or another control character";
  if (TURNS_TEXT.test(text)) return "holds a mark that turns the direction of text";
  if (!IS_SEEN.test(text)) return "shows nothing";
  return text.trim() === text ? null : "begins or ends with a blank";
}
