import { USAGE_READER } from "../../shared/core/text/topics.ts";
import type { TopicIds } from "../../shared/kafka/client/topic-id.ts";
import { areOfOtherTopic, noteTopicId } from "../../shared/ledger/books/consumer-offset.ts";
import type { Database } from "../../shared/ledger/postgres/database.ts";

/** The topic is not the one that the books were kept from: offsets stand for other messages. */
export class TopicRecreated extends Error {
  /** `seen`: what shows it, without a full stop. */
  constructor(seen: string) {
    super(`${seen}. ${WHAT_TO_DO}`);
  }
}

const WHAT_TO_DO =
  "This is not the topic that the books were kept from: point DATABASE_URL and KAFKA_BROKERS at a matching pair, " +
  "or restore the topic.";

/**
 * Makes a check that throws TopicRecreated once the usage topic is another one than the books have read, however long
 * it has grown meanwhile. Without a topic there is nothing to compare.
 */
export function topicCheck(database: Database, ids: Pick<TopicIds, "read">): () => Promise<void> {
  const { topic } = USAGE_READER;
  return async () => {
    const id = await ids.read(topic);
    if (id === null) return;
    if (await areOfOtherTopic(database, USAGE_READER, id)) {
      throw new TopicRecreated(`${topic} was made anew since the books have read it`);
    }
    await noteTopicId(database, USAGE_READER, id);
  };
}
