import pg from "pg";
import { hasPaid, readGateway } from "../fire/check/gateway.ts";
import { drawdown } from "../fire/load/commands.ts";

export interface Compared {
  readonly events: number;
  readonly charges: number;
  /** Empty: nothing was lost, nothing came twice, and the books are right. */
  readonly findings: readonly string[];
}

export interface ComparedFrom {
  readonly env: Readonly<Record<string, string>>;
  readonly superuserUrl: string;
  readonly gatewayUrl: string;
  readonly sent: ReadonlyMap<string, bigint>;
}

/** Holds the books against what was published and charged, and lets them prove themselves. */
export async function compare(from: ComparedFrom): Promise<Compared> {
  const database = new pg.Client({ connectionString: from.superuserUrl });
  await database.connect();
  try {
    const charged = (await readGateway(from.gatewayUrl)).filter(hasPaid);
    const findings = [
      ...(await compareUsage(database, from.sent)),
      ...(await compareCharges(
        database,
        charged.map(({ payment_id }) => payment_id),
      )),
      ...(await prove(from.env)),
    ];
    return { events: from.sent.size, charges: charged.length, findings };
  } finally {
    await database.end();
  }
}

async function compareUsage(database: pg.Client, sent: ReadonlyMap<string, bigint>) {
  const { rows } = await database.query<{ id: string; quantity: string }>(
    "SELECT event_id AS id, quantity FROM usage_record WHERE source LIKE 'service-%'",
  );
  const findings: string[] = [];
  const metered = new Map<string, bigint>();
  for (const { id, quantity } of rows) {
    if (metered.has(id)) findings.push(`${id} is metered twice`);
    metered.set(id, BigInt(quantity));
  }
  for (const [id, quantity] of sent) {
    if (metered.get(id) !== quantity) findings.push(`${id} is metered as ${metered.get(id)}`);
  }
  for (const id of metered.keys()) if (!sent.has(id)) findings.push(`${id} was never sent`);
  const letters = await database.query<{ reason: string; detail: string }>(
    "SELECT reason, detail FROM dead_letter",
  );
  return [...findings, ...letters.rows.map((letter) => `dead letter: ${JSON.stringify(letter)}`)];
}

/** Each charge at the gateway is a payment of the books, and each paid one of the books was charged once. */
async function compareCharges(database: pg.Client, charged: readonly string[]) {
  const { rows } = await database.query<{ id: string }>(
    "SELECT payment_id AS id FROM payment WHERE status = 'succeeded'",
  );
  // Ids are unique in an account, as crossings of its balance are: all charges are compared, sorted.
  const paid = rows.map(({ id }) => id).toSorted();
  const taken = charged.toSorted();
  return paid.join() === taken.join()
    ? []
    : [`charged: ${taken.join()}; in the books: ${paid.join()}`];
}

async function prove(env: Readonly<Record<string, string>>): Promise<string[]> {
  const proofs = ["doctor", "reconcile"].map(async (command) => {
    const { code, stdout, stderr } = await drawdown(env, command);
    return code === 0 ? [] : [`drawdown ${command} ended with ${code}: ${stdout}${stderr}`];
  });
  return (await Promise.all(proofs)).flat();
}
