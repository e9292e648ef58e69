import { copyRows } from "../postgres/copy-rows.ts";
import type { Transaction } from "../postgres/database.ts";
import { REPLAY_READER } from "./begin.ts";

const STATES = `
  CREATE TEMPORARY TABLE replayed_account (
    account_id  text COLLATE "C",
    version     bigint,
    crossings   bigint,
    waiting_crossing bigint,
    low_balance boolean,
    next_due_at timestamptz,
    settle_at   timestamptz,
    expired_until timestamptz,
    held          bigint,
    hold_changes  bigint,
    alert_at      bigint,
    alerts        bigint
  ) ON COMMIT DROP`;

const STATE_COLUMNS =
  "account_id, version, crossings, waiting_crossing, low_balance, next_due_at, settle_at, expired_until, held, hold_changes, alert_at, alerts";

// A replay has other transactions, so a version may be higher than in the source.
const FINISH_ACCOUNTS = `
  UPDATE account
  SET version = greatest(account.version, replayed.version),
      crossings = replayed.crossings,
      waiting_crossing = replayed.waiting_crossing,
      low_balance = replayed.low_balance,
      next_due_at = replayed.next_due_at,
      settle_at = replayed.settle_at,
      expired_until = replayed.expired_until,
      held = replayed.held,
      hold_changes = replayed.hold_changes,
      alert_at = replayed.alert_at,
      alerts = replayed.alerts
  FROM replayed_account AS replayed
  WHERE account.account_id = replayed.account_id`;

const NOTICES = `
  CREATE TEMPORARY TABLE replayed_notice (
    account_id text COLLATE "C",
    lot_id     text COLLATE "C",
    noticed_at timestamptz
  ) ON COMMIT DROP`;

const FINISH_LOTS = `
  UPDATE lot
  SET noticed_at = replayed.noticed_at
  FROM replayed_notice AS replayed
  WHERE lot.account_id = replayed.account_id AND lot.lot_id = replayed.lot_id`;

const FORGET = "DELETE FROM consumer_offset WHERE consumer = $1";

/**
 * Finishes a replay: copies the columns of accounts and lots that do not follow from the line, raises
 * versions to those of the source, and copies the offsets of all consumers.
 */
export async function finishReplay(source: Transaction, target: Transaction): Promise<void> {
  await target.query(STATES);
  await copyRows(source, target, {
    table: "replayed_account",
    columns: STATE_COLUMNS,
    query: `SELECT ${STATE_COLUMNS} FROM account`,
  });
  await target.query(FINISH_ACCOUNTS);
  await target.query(NOTICES);
  await copyRows(source, target, {
    table: "replayed_notice",
    columns: "account_id, lot_id, noticed_at",
    query: "SELECT account_id, lot_id, noticed_at FROM lot WHERE noticed_at IS NOT NULL",
  });
  await target.query(FINISH_LOTS);
  await target.query(FORGET, [REPLAY_READER.consumer]);
  const columns = "consumer, topic, kafka_partition, next_offset";
  await copyRows(source, target, {
    table: "consumer_offset",
    columns,
    query: `SELECT ${columns} FROM consumer_offset`,
  });
}
