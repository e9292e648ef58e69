import { isUsage, type Planned } from "../load/event.ts";
import type { Books } from "./books.ts";
import { contentOf, type ExpectedUsage, identityOf } from "./expected-usage.ts";
import { type Checked, openFindings } from "./findings.ts";
import type { TopicRecord } from "./read-topic.ts";

/** Everything in the journal is on the topic, and nothing else is. */
export function checkJournal(
  journal: readonly Planned[],
  records: readonly TopicRecord[],
  { deadLetters, contents }: ExpectedUsage,
): Checked {
  const findings = openFindings("the journal is on usage.events, and nothing else");
  const said = new Set<string>();
  const bytes = new Set(records.map(({ value }) => value.toString("base64")));
  for (const planned of journal) {
    if (!isUsage(planned)) {
      if (!bytes.has(planned.bytes.toString("base64"))) findings.add(`no ${planned.kind} on topic`);
      continue;
    }
    const content = identityOf(planned.usage) + contentOf(planned.usage);
    said.add(content);
    if (isValid(planned.kind) && !contents.has(content)) {
      findings.add(`${identityOf(planned.usage)} is not on the topic`);
    }
  }
  for (const content of contents) {
    if (!said.has(content)) findings.add(`${content} is on the topic, and was never published`);
  }
  const wrong = journal.filter((planned) => isUsage(planned) && isWrong(planned.kind)).length;
  if (deadLetters.size < wrong) findings.add(`${wrong} bad events, ${deadLetters.size} on topic`);
  return findings.done(journal.length);
}

function isValid(kind: Planned["kind"]): boolean {
  return kind === "fresh" || kind === "late" || kind === "skewed";
}

function isWrong(kind: Planned["kind"]): boolean {
  return !isValid(kind) && kind !== "repeat" && kind !== "conflict";
}

/** Each event of the topic is metered exactly once, with its own content. */
export function checkMetered({ usage }: Books, { events }: ExpectedUsage): Checked {
  const findings = openFindings("each event is metered exactly once");
  const metered = new Map<string, number>();
  for (const record of usage) {
    const identity = identityOf(record);
    metered.set(identity, (metered.get(identity) ?? 0) + 1);
    const messages = events.get(identity);
    if (messages === undefined) findings.add(`${identity} is metered and on no message`);
    else if (!messages.some(({ place }) => place === record.place)) {
      findings.add(`${identity} is metered from ${record.place}, where it is not`);
    } else if (!messages.some((message) => contentOf(message.usage) === contentOf(record))) {
      findings.add(`${identity} is metered as ${contentOf(record)}`);
    }
  }
  for (const identity of events.keys()) {
    const times = metered.get(identity) ?? 0;
    if (times !== 1) findings.add(`${identity} is metered ${times} times`);
  }
  return findings.done(events.size);
}

/** Each bad message is a dead letter with its reason, in the books and on the topic, and no other is. */
export function checkDeadLetters(
  { deadLetters }: Books,
  expected: ExpectedUsage["deadLetters"],
  published: ReadonlySet<string>,
  records: readonly TopicRecord[],
): Checked {
  const findings = openFindings("each bad message is one dead letter, with the right reason");
  const found = new Map(deadLetters.map((letter) => [letter.place, letter]));
  const values = new Map(
    records.map(({ partition, offset, value }) => [`${partition}:${offset}`, value]),
  );
  for (const [place, reason] of expected) {
    const letter = found.get(place);
    if (letter === undefined) findings.add(`${place} (${reason}) is no dead letter`);
    else if (letter.reason !== reason) {
      findings.add(`${place} is a dead letter for ${letter.reason}, not ${reason}`);
    } else if (values.get(place)?.equals(letter.payload) !== true) {
      findings.add(`${place} is kept with other bytes`);
    } else if (!published.has(place)) findings.add(`${place} is not on usage.dead-letters`);
  }
  for (const { place, reason } of deadLetters) {
    if (!expected.has(place)) findings.add(`${place} is a dead letter for ${reason}, and is well`);
  }
  return findings.done(expected.size);
}
