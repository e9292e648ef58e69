import type { FireAccount } from "../load/accounts.ts";
import { codecOf } from "../load/avro.ts";
import { drawdown } from "../load/commands.ts";
import type { Planned } from "../load/event.ts";
import type { LoadedHold } from "../load/holds.ts";
import { readBooks } from "./books.ts";
import type { Calendar } from "./calendar.ts";
import { checkAccounts } from "./check-accounts.ts";
import { checkAlerts } from "./check-alerts.ts";
import { checkBudgets, spentOn } from "./check-budgets.ts";
import { checkCharges, checkNobodyIsLow } from "./check-charges.ts";
import { checkHolds } from "./check-holds.ts";
import { checkMonths } from "./check-months.ts";
import { checkBalances, checkEntries, checkOrder } from "./check-published.ts";
import { checkDeadLetters, checkJournal, checkMetered } from "./check-usage.ts";
import { contentOf, expectUsage, identityOf, placeOf } from "./expected-usage.ts";
import { type Checked, openFindings } from "./findings.ts";
import { readGateway } from "./gateway.ts";
import { modelsOf } from "./model.ts";
import { plainKafka, readTopic } from "./read-topic.ts";

/** Topics whose sequences count up by one; of the others they only rise. */
const ORDERED = [
  ...["billing.credits", "billing.top-ups", "billing.payments", "billing.alerts", "billing.holds"],
];
const RISING = ["billing.low-balance", "billing.credits-expiring"];

export interface CheckedFrom {
  readonly env: Readonly<Record<string, string>>;
  readonly superuserUrl: string;
  readonly gatewayUrl: string;
  readonly accounts: readonly FireAccount[];
  readonly journal: readonly Planned[];
  readonly holds: readonly LoadedHold[];
  readonly schemaId: number;
  readonly calendar: Calendar;
}

/**
 * Compares journal, topics, books and gateway with each other and with an independent model. Shares no
 * code with services/ or shared/; the product's own proofs run beside it, as commands.
 */
export async function check(from: CheckedFrom): Promise<Checked[]> {
  const kafka = plainKafka(from.env["KAFKA_BROKERS"] ?? "");
  const books = await readBooks(from.superuserUrl);
  const charged = await readGateway(from.gatewayUrl);
  const records = await readTopic(kafka, "usage.events");
  const metered = new Map(books.usage.map((usage) => [identityOf(usage), contentOf(usage)]));
  const expected = expectUsage(records, {
    codec: await codecOf("usage-event"),
    schemaId: from.schemaId,
    accounts: new Set(from.accounts.map(({ id }) => id)),
    now: BigInt(from.calendar.endedAt),
    metered: (identity) => metered.get(identity),
  });
  const letters = await codecOf("dead-letter");
  const published = (await readTopic(kafka, "usage.dead-letters")).map(({ value }) => {
    const { partition, offset } = letters.fromBuffer(value.subarray(5));
    return placeOf(partition, offset);
  });
  const { accounts, calendar } = from;
  const models = modelsOf({ books, expected, accounts, payments: charged, calendar });
  const spent = spentOn(books, expected, accounts);
  const checked: Checked[] = [
    checkJournal(from.journal, records, expected),
    checkMetered(books, expected),
    checkDeadLetters(books, expected.deadLetters, new Set(published), records),
    checkAccounts(books, models),
    checkMonths(books, models, charged),
    checkCharges(books, charged),
    checkNobodyIsLow(books, from.accounts),
    checkBudgets(books, spent),
  ];
  for (const topic of [...ORDERED, ...RISING]) {
    const mayHaveGaps = RISING.includes(topic);
    const order = checkOrder(topic, await readTopic(kafka, topic), mayHaveGaps);
    checked.push(order.checked);
    if (topic === "billing.alerts") checked.push(checkAlerts(books, accounts, spent, order.last));
    if (topic === "billing.holds") checked.push(checkHolds(books, from.holds, order.last));
    if (topic === "billing.credits") checked.push(checkEntries(books, order.last));
  }
  const balances = await readTopic(kafka, "billing.balances");
  checked.push(checkBalances(books, balances, await codecOf("balance-changed")));
  checked.push(unpublished(books.unpublished));
  for (const command of ["reconcile", "doctor"]) checked.push(await runProof(from.env, command));
  return checked;
}

function unpublished(rows: number): Checked {
  const findings = openFindings("nothing is left to publish");
  if (rows > 0) findings.add(`${rows} rows are`);
  return findings.done(1);
}

async function runProof(env: CheckedFrom["env"], command: string): Promise<Checked> {
  const findings = openFindings(`drawdown ${command} finds no difference`);
  const { code, stdout, stderr } = await drawdown(env, command);
  if (code !== 0) findings.add(`it ended with ${code}:\n${stderr}\n${stdout}`.trim());
  return findings.done(1);
}
