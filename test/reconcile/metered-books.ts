import type { Books } from "../support/books/books.ts";
import { eventually } from "../support/eventually.ts";
import { startMetering } from "../support/processes/metering-process.ts";

/** Runs metering on books, as a process, while `work` runs. */
export async function whileMetering(of: Books, work: () => Promise<void>): Promise<void> {
  const metering = startMetering({ ...process.env, DATABASE_URL: of.url });
  try {
    await metering.says(/^metering$/);
    await work();
  } finally {
    await metering.stop();
  }
}

/** Waits until everything pending in the books is published. */
export async function untilTold({ database }: Books): Promise<void> {
  await eventually("everything is published", async () => {
    const { rows } = await database.query<{ waiting: number }>(
      "SELECT ((SELECT count(*) FROM outbox) + (SELECT count(*) FROM balance_change))::integer AS waiting",
    );
    return rows[0]?.waiting === 0;
  });
}
