/** Who a customer is told made a change; null stays: Drawdown itself, or a version that did not record it. */
type ActorKind = "customer" | "seller" | "automatic";

/** Fields that name who made a change; `by` does beside the `at` of the change. */
const NAMING = new Set([
  "askedBy",
  "createdBy",
  "grantedBy",
  "postedBy",
  "removedBy",
  "requestedBy",
  "setBy",
]);

/** Fields that hold dimensions: by names that are the product's. */
const BY_DIMENSION = new Set(["dimensions", "when"]);

/** Drawdown's own names: the turn of a month, a payment's outcome, and what began at the gateway. */
const AUTOMATIC = new Set(["schedule", "payments", "gateway"]);

function kindOf(actor: string): ActorKind {
  if (actor.startsWith("token:")) return "customer";
  return AUTOMATIC.has(actor) ? "automatic" : "seller";
}

/**
 * An answer as a customer's token may read it: in place of the seller's employees and keys it has the
 * kind of actor alone. Other values are the same, and so are those by the names of dimensions.
 */
export function hideActors<Value>(value: Value): Value;
export function hideActors(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => hideActors(item));
  if (!isPlain(value)) return value;
  const shown = (key: string, inner: unknown): unknown => {
    if (BY_DIMENSION.has(key)) return inner;
    const names = NAMING.has(key) || (key === "by" && "at" in value);
    return names && typeof inner === "string" ? kindOf(inner) : hideActors(inner);
  };
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shown(key, inner)]));
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype
  );
}
