/** A backup is restored to an instant; what came after it comes back from Kafka, and the rest is named. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { setUp } from "../../infra/set-up.ts";
import { REFERENCE } from "../../shared/core/line/reference.ts";
import { toAccountId } from "../../shared/core/text/text.ts";
import { METERING, TOP_UP } from "../../shared/core/text/topics.ts";
import { grantCredits } from "../../shared/ledger/credits/grant-credits.ts";
import { topUpByHand } from "../../shared/ledger/payments/top-up-account.ts";
import { type Books, connect, openAccount, setPrice } from "../support/books/books.ts";
import { askedHold, changeHold } from "../support/books/holds.ts";
import { brokenInvariants } from "../support/books/invariants.ts";
import { openPayer, sellCredits, untilPayment } from "../support/books/payers.ts";
import { drawdown } from "../support/cli/drawdown.ts";
import { eventually } from "../support/eventually.ts";
import { dismissMembers } from "../support/kafka/dismiss-members.ts";
import { testKafka } from "../support/kafka/kafka.ts";
import { openUsagePublisher, type UsagePublisher } from "../support/kafka/publish-usage.ts";
import { takeUsageTopic, untilCaughtUp } from "../support/kafka/usage-topic.ts";
import { startMetering } from "../support/processes/metering-process.ts";
import { openGateway } from "../support/processes/simulated-gateway.ts";
import { TURN_MS, takeTopUpGroup, topUpProcess } from "../support/processes/top-up-process.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { type ArchivingServer, openArchivingServer } from "./archiving-server.ts";

/** Events before the instant, in each of three portions, and after it. More are for measuring. */
const EVENTS = Number(process.env["RESTORE_EVENTS"] ?? 400);
const USING = ["restore-using-1", "restore-using-2", "restore-using-3"];
/** Its credits run out, so that top-up charges its card. */
const BUYING = "restore-buying";
/** What is done by hand after the instant is theirs. */
const PAYING = "restore-paying";
const GRANTED = "restore-granted";
const HOLDING = "restore-holding";
const LATE_TOP_UP = { paymentId: REFERENCE.manualTopUp.write({ key: "late" }), amount: 1_000n };
const CREDIT = 1_000_000n;
const WITHIN_MS = 120_000;

const kafka = testKafka();
let giveBack: (() => Promise<void>)[] = [];
let server: ArchivingServer;
let books: Books;
let usage: UsagePublisher;
let published = 0;

beforeAll(async () => {
  giveBack = [await takeUsageTopic(kafka), await takeTopUpGroup(kafka)];
  server = await openArchivingServer();
  const env = { ...process.env, DATABASE_URL: server.url, DATABASE_OWNER_URL: server.ownerUrl };
  await setUp(env, () => undefined);
  usage = await openUsagePublisher(kafka);
}, TURN_MS);

afterAll(async () => {
  await usage?.close();
  await server?.close();
  for (const back of giveBack) await back();
});

test("books restored to an instant meter what came after it once and charge nobody twice; the rest is named", {
  timeout: 400_000,
}, async () => {
  const dataDir = await tempFolder();
  let gateway = await openGateway({ dataDir });
  const meter = () => startMetering({ ...process.env, DATABASE_URL: server.url });
  const topUp = () => topUpProcess({ databaseUrl: server.url, gatewayUrl: gateway.url });
  books = openBooks();
  await openAccounts();
  let services = [meter(), topUp()];
  await publish(6n * CREDIT); // more than the account that buys has
  await caughtUp(1);
  const publishing = publish(1n);
  await server.backUp();
  await publishing;
  await publish(1n);
  await caughtUp(1);
  const instant = await clock();
  const before = await readBooks();

  // More than was bought, twice: two needs, which are one where all of it is metered at once.
  for (const topUps of [2, 3]) {
    await publish(600n * CREDIT);
    await caughtUp(topUps);
  }
  await actByHand();
  const undisturbed = await readBooks();
  const charged = await gateway.payments();
  expect(charged).toHaveLength(4);
  const wal = await server.archiveAll();
  await Promise.all(services.map((service) => service.kill()));
  await leaveGroups([METERING, TOP_UP]);
  await books.close();
  await server.lose();

  const lost = performance.now();
  await server.restore(instant);
  const restored = performance.now();
  books = openBooks();
  expect(await readBooks()).toEqual(before);
  // A day later, the gateway has forgotten under which keys it was called.
  await gateway.close();
  gateway = await openGateway({ dataDir, keysKeptMs: 0 });
  const metering = meter();
  await untilCaughtUp(kafka, books.database, WITHIN_MS);
  const metered = performance.now();
  const killed = topUp();
  await untilPayments(BUYING, 2);
  await killed.kill();
  await leaveGroups([TOP_UP]);
  services = [metering, topUp()];
  await caughtUp(3);
  await untilPayment(books, PAYING, "succeeded", WITHIN_MS);
  await untilPublished();
  tell(wal, restored - lost, metered - restored);

  // Usage, money, and what follows from them: as in a run that was not disturbed.
  const byHand = [GRANTED, HOLDING];
  const now = await readBooks();
  expect(now.usage).toEqual(undisturbed.usage);
  expect(now.accounts.filter(isNotOf(byHand))).toEqual(
    undisturbed.accounts.filter(isNotOf(byHand)),
  );
  expect(now.payments).toEqual(undisturbed.payments);
  expect(await gateway.payments()).toEqual(charged);
  expect(await brokenInvariants(books.database)).toEqual([]);

  // What only people knew is named, by its records on Kafka.
  expect(await differences()).toEqual([
    `${BUYING} other_entry`, // its top-ups are posted at another time
    `${BUYING} other_entry`,
    `${GRANTED} balance_ahead`,
    `${GRANTED} missing_entry`,
    `${HOLDING} balance_ahead`,
    `${PAYING} other_entry`,
  ]);
  // Posted again under its id, a grant comes once; a top-up is the charge that there was.
  await topUpLate();
  await grantLate();
  expect(await gateway.payments()).toEqual(charged);
  await caughtUp(3);
  expect(await differences()).toEqual([
    `${BUYING} other_entry`,
    `${BUYING} other_entry`,
    `${GRANTED} other_entry`,
    `${HOLDING} balance_ahead`,
    `${PAYING} other_entry`,
  ]);
  const mended = await readBooks();
  expect(mended.accounts.filter(isNotOf([HOLDING]))).toEqual(
    undisturbed.accounts.filter(isNotOf([HOLDING])),
  );
  expect(mended.payments).toEqual(undisturbed.payments);
  expect(await brokenInvariants(books.database)).toEqual([]);
  await Promise.all(services.map((service) => service.kill()));
  await books.close();
});

/** Those killed are not waited for. */
async function leaveGroups(groups: readonly string[]): Promise<void> {
  const brokers = process.env["KAFKA_BROKERS"] ?? "";
  for (const group of groups) await dismissMembers(kafka, brokers, group);
}

function openBooks(): Books {
  const database = connect(server.superuserUrl);
  return { url: server.url, database, close: () => database.end() };
}

async function openAccounts(): Promise<void> {
  await setPrice(books, "call", 1n);
  await sellCredits(books);
  const lots = [{ credits: 100n * CREDIT }];
  for (const id of [...USING, GRANTED, HOLDING]) await openAccount(books, id, { lots });
  await openPayer(books, BUYING, { credits: 5n * CREDIT });
  await openPayer(books, PAYING, { credits: 100n * CREDIT });
}

/** A portion of usage, and one event of the account that buys. */
async function publish(bought: bigint): Promise<void> {
  const events = Array.from({ length: EVENTS }, () => {
    published += 1;
    const accountId = USING[published % USING.length] ?? "";
    return { eventId: `restore-${published}`, accountId, quantity: BigInt(1 + (published % 5)) };
  });
  events.push({ eventId: `restore-bought-${published}`, accountId: BUYING, quantity: bought });
  for (let at = 0; at < events.length; at += 5_000) {
    await usage.publish(events.slice(at, at + 5_000));
  }
}

/** Waits until all usage is metered, and so many top-ups of the account that buys are posted. */
async function caughtUp(topUps: number): Promise<void> {
  await untilCaughtUp(kafka, books.database, WITHIN_MS);
  const query = "SELECT FROM payment WHERE account_id = $1 AND status = 'succeeded'";
  await eventually(
    `${topUps} top-ups are posted`,
    async () => (await books.database.query(query, [BUYING])).rowCount === topUps,
    WITHIN_MS,
  );
  await untilPublished();
}

async function untilPayments(accountId: string, count: number): Promise<void> {
  const query = "SELECT FROM payment WHERE account_id = $1";
  await eventually(
    `${accountId} has ${count} payments`,
    async () => (await books.database.query(query, [accountId])).rowCount === count,
    WITHIN_MS,
  );
}

/** What was done is on Kafka. */
async function untilPublished(): Promise<void> {
  const waiting = "SELECT FROM outbox UNION ALL SELECT FROM balance_change";
  await eventually(
    "everything is published",
    async () => (await books.database.query(waiting)).rowCount === 0,
    WITHIN_MS,
  );
}

async function clock(): Promise<string> {
  const query = "SELECT clock_timestamp()::text AS now";
  const { rows } = await books.database.query<{ now: string }>(query);
  return rows[0]?.now ?? "";
}

async function actByHand(): Promise<void> {
  await topUpLate();
  await grantLate();
  const hold = await changeHold(books, askedHold(HOLDING, "late", CREDIT));
  expect(hold.kind).toBe("held");
  await caughtUp(3);
}

async function grantLate(): Promise<void> {
  const lot = { lotId: "late", credits: 7n * CREDIT, source: "promotion", reference: "" } as const;
  const granted = { ...lot, end: { kind: "never" } } as const;
  const { kind } = await grantCredits(books.database, toAccountId(GRANTED), granted, Date.now());
  expect(kind).toBe("granted");
}

async function topUpLate(): Promise<void> {
  const at = { accountId: toAccountId(PAYING), now: Date.now(), by: "test" };
  await topUpByHand(books.database, at, LATE_TOP_UP);
  await untilPayment(books, PAYING, "succeeded", WITHIN_MS);
}

/** What must be as it was. */
async function readBooks() {
  type Row = { readonly account_id: string };
  const read = async (query: string) => (await books.database.query<Row>(query)).rows;
  return {
    usage: await read(
      `SELECT account_id, event_id, quantity, credits, start_position, kafka_partition, kafka_offset
       FROM usage_record ORDER BY kafka_partition, kafka_offset`,
    ),
    accounts: await read(
      `SELECT account_id, granted, position, held, array_agg((lot_id, start_position, end_position)::text) AS lots
       FROM account JOIN lot USING (account_id) GROUP BY account_id ORDER BY account_id`,
    ),
    payments: await read(
      "SELECT account_id, payment_id, status, amount, gateway_payment FROM payment ORDER BY 1, 2",
    ),
  };
}

function isNotOf(accounts: readonly string[]) {
  return ({ account_id }: { readonly account_id: string }) => !accounts.includes(account_id);
}

/**
 * What `drawdown reconcile` finds: account and kind. Usage that is metered again takes fewer transactions than it
 * may have taken, so that balances of before may have higher versions.
 */
async function differences(): Promise<string[]> {
  const { stdout } = await drawdown(["reconcile", "--json"], { env: { DATABASE_URL: server.url } });
  const found = JSON.parse(stdout) as { differences: { account_id: string; kind: string }[] };
  const ours = found.differences.filter(
    ({ account_id, kind }) =>
      account_id.startsWith("restore-") &&
      !(kind === "balance_ahead" && [...USING, BUYING].includes(account_id)),
  );
  return ours.map(({ account_id, kind }) => `${account_id} ${kind}`).toSorted();
}

/** Figures of docs/operating.md, with RESTORE_EVENTS set. */
function tell(walBytes: number, restoreMs: number, meterMs: number): void {
  if (process.env["RESTORE_EVENTS"] === undefined) return;
  const [wal, restored, metered] = [walBytes / 2 ** 20, restoreMs / 1_000, meterMs / 1_000];
  console.log(
    `${wal.toFixed(0)} MiB of WAL: restored in ${restored.toFixed(1)} s; ` +
      `${EVENTS} events: metered ${metered.toFixed(1)} s after metering was started`,
  );
}
