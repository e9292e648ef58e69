import type { Statement } from "../support/processes/postgres-frames.ts";

/**
 * Every statement that the top-up service sends to Postgres on the way from a low balance to its
 * published result, stage by stage. BEGIN alone changes nothing: a kill before it equals a kill after
 * the statement before it.
 */
const STAGES = {
  "publishing the low balance": relaying(),
  "making the top-up": [
    ...movingTheAccount(),
    "SELECT payment_method",
    "SELECT auto_top_up",
    "INSERT INTO payment",
    "INSERT INTO payments_published",
    "INSERT INTO outbox",
    "INSERT INTO auto_top_up",
    "INSERT INTO top_up_notice",
    "INSERT INTO outbox again",
    "COMMIT",
  ],
  "noting the place in the topic": ["INSERT INTO consumer_offset"],
  "publishing pending": relaying(),
  "claiming the payment": ["SELECT payment JOIN account", "UPDATE payment", "COMMIT"],
  "putting it off": ["UPDATE payment"],
  "posting the lot": [
    ...movingTheAccount(),
    "SELECT payment JOIN unnest",
    "SELECT auto_top_up",
    "INSERT INTO auto_top_up",
    "INSERT INTO top_up_notice",
    "INSERT INTO outbox",
    "UPDATE payment",
    "INSERT INTO payments_published",
    "INSERT INTO outbox again",
    "UPDATE account again",
    "INSERT INTO lot",
    "INSERT INTO entry",
    "INSERT INTO outbox again again",
    "INSERT INTO balance_change",
    "COMMIT",
  ],
  "publishing succeeded": relaying(),
} as const satisfies Readonly<Record<string, readonly string[]>>;

/** Only where the lot did not lift the account. */
export const LOOK_AGAIN = "looking at the account again: UPDATE account";

type Stage = keyof typeof STAGES | "looking at the account again";

function movingTheAccount() {
  return [
    "UPDATE account",
    "SELECT account",
    "SELECT plan_price",
    "SELECT usage_complete",
    "SELECT account JOIN lot",
    "SELECT schedule",
  ] as const;
}

function relaying() {
  return [
    "SELECT outbox-relay",
    "SELECT outbox",
    "SELECT dead_letter",
    "SELECT dead_letter again",
    "DELETE FROM outbox",
    "COMMIT",
  ] as const;
}

/** One statement of a stage, as `<stage>: <statement>`. */
export type Step = string;

export const STEPS: readonly Step[] = Object.entries(STAGES).flatMap(([stage, statements]) =>
  statements.map((statement) => `${stage}: ${statement}`),
);

/** The role of a statement for the account that is under way. */
export type Place = Step | "idle";

/**
 * Classifies an account's statements as they come. Idle is what the service sends repeatedly while there
 * is nothing to do, and what it sends about other accounts.
 */
export function followWay(account: string): (statement: Statement) => Place {
  const way = { moves: 0, moved: 0, published: 0 };
  return (statement) => {
    const said: Said = { ...statement, transaction: transactionOf(statement) };
    if (isElsewhere(said, account)) return "idle";
    const stage = stageOf(said, way);
    if (said.sql === "COMMIT" && stage !== null) {
      if (MOVES.includes(stage)) way.moved += 1;
      if (RELAYS.includes(stage)) way.published += 1;
    }
    if (stage !== null) return `${stage}: ${nameOf(said)}`;
    return isIdle(said) ? "idle" : nameOf(said);
  };
}

/** The account's progress: transactions that move it, begun and ended, and those that publish. */
interface Way {
  moves: number;
  moved: number;
  published: number;
}

function stageOf(said: Said, way: Way): Stage | null {
  const { sql, transaction } = said;
  if (transaction === null) return standalone(sql, way.moved);
  if (isClaim(transaction)) {
    const isNone = sql === "COMMIT" && transaction.length === 3;
    return way.moved === 1 && !isNone ? "claiming the payment" : null;
  }
  if (isMove(transaction)) {
    if (transaction.length === 2) way.moves += 1;
    return MOVES[way.moves - 1] ?? null;
  }
  if (!isRelay(transaction) || way.published > way.moved) return null;
  const isEmpty = sql === "COMMIT" && !transaction.some(isDeletion);
  return isEmpty ? null : (RELAYS[way.published] ?? null);
}

interface Said extends Statement {
  /** The statements of its transaction up to it; null: it has no transaction. */
  readonly transaction: readonly string[] | null;
}

const MOVES: readonly Stage[] = [
  "making the top-up",
  "posting the lot",
  "looking at the account again",
];
const RELAYS: readonly Stage[] = [
  "publishing the low balance",
  "publishing pending",
  "publishing succeeded",
];

function transactionOf({ sql, earlier }: Statement): readonly string[] | null {
  const isOpen = /^BEGIN/.test(earlier[0] ?? sql) && !earlier.includes("COMMIT");
  return isOpen ? [...earlier, sql] : null;
}

function standalone(sql: string, moved: number): Stage | null {
  if (/^UPDATE payment\b/.test(sql)) return "putting it off";
  return isPlace(sql) && moved > 0 ? "noting the place in the topic" : null;
}

/** About an account of other books with low balances on the same topic. */
function isElsewhere({ transaction, isAbout }: Said, account: string): boolean {
  return transaction !== null && isMove(transaction) && !isAbout(account);
}

function isMove([, first = ""]: readonly string[]): boolean {
  return /^UPDATE account\s+SET version = version\b/.test(first);
}

function isRelay([, first = ""]: readonly string[]): boolean {
  return first.includes("drawdown.outbox-relay");
}

function isBalances([, first = ""]: readonly string[]): boolean {
  return first.includes("drawdown.balances");
}

function isDeletion(sql: string): boolean {
  return sql.startsWith("DELETE FROM outbox");
}

/** Claims what is due, or finds that nothing is. */
function isClaim([, first = ""]: readonly string[]): boolean {
  return /FROM payment\b/.test(first) && /FOR NO KEY UPDATE OF payment SKIP LOCKED$/.test(first);
}

function isPlace(sql: string): boolean {
  return /^INSERT INTO consumer_offset/.test(sql);
}

/** Every few seconds the service compares the gateway's charges with the books. */
function isComparison(sql: string): boolean {
  return /\b(charge_check|unmatched_charge|FROM unnest)\b/.test(sql);
}

/** At accounts; at records to publish and payments to claim, before the transaction that takes them. */
function isLook(sql: string): boolean {
  return /^SELECT EXISTS|FROM auto_top_up\s+WHERE look_at/.test(sql);
}

/** Which balances wait to be published, by whichever process. */
function isLookForBalances(sql: string): boolean {
  return /\bFROM balance_change\b/.test(sql);
}

function isIdle({ sql, transaction }: Said): boolean {
  if (transaction === null) {
    return (
      isLook(sql) ||
      isPlace(sql) ||
      isAskedOnceMore(sql) ||
      isComparison(sql) ||
      isLookForBalances(sql) ||
      // The clock of Postgres, up to which balances are complete, and which server it is.
      /statement_timestamp|^SELECT\s+concat_ws\('\/', extract\(epoch FROM pg_postmaster_start_time/.test(
        sql,
      ) ||
      /\bFROM hold\b/.test(sql) ||
      /^SELECT count.*FROM payment\b/s.test(sql)
    );
  }
  return sql === "BEGIN" || isClaim(transaction) || isRelay(transaction) || isBalances(transaction);
}

/** A payment that was queried and has succeeded is queried once more, for refunds. */
function isAskedOnceMore(sql: string): boolean {
  return /FROM refund\s+WHERE/.test(sql);
}

/** What a statement does, to which table; with `again` for each earlier time in its transaction. */
function nameOf({ sql, transaction }: Said): string {
  const name = shortOf(sql);
  const before = (transaction ?? []).slice(0, -1);
  const times = before.filter((earlier) => shortOf(earlier) === name).length;
  return `${name}${" again".repeat(times)}`;
}

function shortOf(sql: string): string {
  const [, lock] = /hashtext\('drawdown\.([^']+)'\)/.exec(sql) ?? [];
  if (lock !== undefined) return `SELECT ${lock}`;
  const [write] = /^(COPY|INSERT INTO|UPDATE|DELETE FROM) \w+/.exec(sql) ?? [];
  if (write !== undefined) return write;
  const [, table] = /\bFROM (\w+(?:\s+JOIN \w+)?)/.exec(sql) ?? [];
  return table === undefined ? sql : `SELECT ${table.replaceAll(/\s+/g, " ")}`;
}
