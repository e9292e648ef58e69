import { eventually } from "../local-stack/eventually.ts";
import type { Books } from "../stack/books.ts";
import { startMetering } from "../stack/metering-process.ts";

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
  await eventually("all is told", async () => {
    const { rows } = await database.query<{ waiting: number }>(
      "SELECT ((SELECT count(*) FROM outbox) + (SELECT count(*) FROM balance_change))::integer AS waiting",
    );
    return rows[0]?.waiting === 0;
  });
}
