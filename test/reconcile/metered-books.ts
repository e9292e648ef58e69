import type { Books } from "../support/books/books.ts";
import { eventually } from "../support/eventually.ts";
import { startMetering } from "../support/processes/metering-process.ts";

/** Has metering at work on books, as a process, while something is done. */
export async function whileMetering(of: Books, work: () => Promise<void>): Promise<void> {
  const metering = startMetering({ ...process.env, DATABASE_URL: of.url });
  try {
    await metering.says(/^metering$/);
    await work();
  } finally {
    await metering.stop();
  }
}

/** Waits until all that is to be published of books is. */
export async function untilTold({ database }: Books): Promise<void> {
  await eventually("everything is published", async () => {
    const { rows } = await database.query<{ waiting: number }>(
      "SELECT ((SELECT count(*) FROM outbox) + (SELECT count(*) FROM balance_change))::integer AS waiting",
    );
    return rows[0]?.waiting === 0;
  });
}
