/** What a table or view holds about accounts, and what becomes of it when an account is erased. */
export interface AccountTable {
  readonly table: string;
  /** What of it may be personal, for docs/privacy.md. */
  readonly personal: string;
  /** What erasing an account does to it, and why not more. */
  readonly erasing: string;
  /** Columns of text or bytes that lose what they held; the others are in `keeps`. Separated by spaces. */
  readonly erases?: string;
  readonly keeps?: string;
  /** Why an export leaves it out; left out here: it is exported. */
  readonly notExported?: string;
  /** Columns that an export leaves out, since they open something. Separated by spaces. */
  readonly secrets?: string;
  /** Which rows are of account $1. Default: those with its account_id. */
  readonly rows?: string;
  readonly order?: string;
}

const NOTHING = "nothing";
const KEPT = "kept";
const SUMS = "kept: the books";

/**
 * Every table and view that names accounts, in the order of an export. Add each new one, with all of its columns
 * of text: a test compares them with the database.
 */
export const ACCOUNT_TABLES: readonly AccountTable[] = [
  {
    table: "account",
    personal: "the account's id, if it is one's name or address; its time zone",
    erasing:
      "kept; its budgets are removed. The id is in every key: make it a pseudonym of your own",
    erases: "budgets",
    keeps: "time_zone currency spent",
  },
  {
    table: "setting_change",
    personal: "who changed a setting",
    erasing: KEPT,
    keeps: "changed_by detail",
  },
  {
    table: "schedule",
    personal: NOTHING,
    erasing: KEPT,
    keeps: "plan_id interval renewal next_plan_id next_interval add_ons due_charges currency",
  },
  {
    table: "subscription_change",
    personal: "who changed the subscription",
    erasing: KEPT,
    keeps: "kind changed_by detail",
  },
  {
    table: "lot",
    personal: "the reference of a grant by hand",
    erasing: "the reference gives way to its digest; amounts, times and ids stay",
    erases: "reference",
    keeps: "lot_id source",
    order: "start_position",
  },
  {
    table: "entry",
    personal: "the reference of a grant or an adjustment by hand; who posted it",
    erasing:
      "the reference gives way to its digest, by which a repeat is still found; the rest stays",
    erases: "reference",
    keeps: "kind lot_id posted_by",
    order: "sequence",
  },
  {
    table: "hold",
    personal: "values of dimensions, such as a user; who asked for it",
    erasing: "values give way to pseudonyms; ids and amounts stay",
    erases: "dimensions",
    keeps: "hold_id request status requested_by",
    secrets: "request",
  },
  {
    table: "usage_record",
    personal: "values of dimensions, such as a user",
    erasing:
      "values give way to pseudonyms, except those of dimensions that prices depend on; ids, sources, quantities, times and credits stay",
    erases: "dimensions",
    keeps: "event_id meter source hold_id",
    order: "page_start, page_version, place",
  },
  {
    table: "usage_page",
    personal: "as usage_record, which shows it event by event",
    erasing: "as usage_record",
    erases: "dimensions",
    keeps: "event_uuids event_ids meters sources hold_ids",
    notExported: "usage_record shows it",
  },
  { table: "usage_past", personal: NOTHING, erasing: SUMS, keeps: "meter" },
  { table: "usage_past_stretch", personal: NOTHING, erasing: SUMS },
  { table: "spend", personal: NOTHING, erasing: SUMS, keeps: "meter", order: "hour, meter" },
  {
    table: "spend_hour",
    personal: NOTHING,
    erasing: SUMS,
    keeps: "meter",
    notExported: "spend shows it",
  },
  { table: "carried", personal: NOTHING, erasing: SUMS, keeps: "meter" },
  { table: "month_usage", personal: NOTHING, erasing: SUMS, keeps: "meter" },
  {
    table: "budget",
    personal: "values of dimensions; who set it",
    erasing: "deleted",
    erases: "value",
    keeps: "dimension window_name set_by",
  },
  {
    table: "budget_spend",
    personal: "values of dimensions",
    erasing: "deleted",
    erases: "value",
    keeps: "dimension window_name",
  },
  {
    table: "budget_added",
    personal: "values of dimensions",
    erasing: "deleted",
    erases: "named",
    keeps: "dimension window_name",
  },
  {
    table: "budget_unlisted",
    personal: "values of dimensions",
    erasing: "deleted",
    erases: "value",
    keeps: "dimension window_name",
  },
  {
    table: "budget_spent",
    personal: "as budget_spend and budget_added",
    erasing: "as those",
    erases: "value",
    keeps: "dimension window_name",
    notExported: "it shows budget_spend and budget_added",
  },
  {
    table: "budget_counted",
    personal: NOTHING,
    erasing: "as account",
    keeps: "dimension window_name",
    notExported: "it shows the budgets of account",
  },
  {
    table: "alert_setting",
    personal: "who set it",
    erasing: KEPT,
    keeps: "set_by",
  },
  {
    table: "alert",
    personal: "the value of a budget; what a gateway said",
    erasing: "those of budgets are deleted, words of a gateway removed",
    erases: "subject reason",
    keeps: "kind window_name currency cause",
  },
  {
    table: "own_terms",
    personal: "the reason that a person wrote; who set it",
    erasing: "the reason is removed",
    erases: "reason",
    keeps: "meter dimensions set_by",
  },
  {
    table: "own_rate",
    personal: "values of dimensions that its prices name",
    erasing: "kept: usage was priced by them. Price by no dimension that names people",
    keeps: "meter patterns band_of round_up tiers",
  },
  {
    table: "auto_top_up",
    personal: "what a gateway said",
    erasing: "switched off; words of a gateway removed",
    erases: "stopped",
  },
  {
    table: "payment_method",
    personal: "the gateway's ids of the customer and the saved card; who set it",
    erasing: "deleted. Delete the customer at the gateway, too",
    erases: "customer method",
    keeps: "set_by",
  },
  {
    table: "payment_method_change",
    personal: "the same, of each change",
    erasing: "the gateway's ids are removed; when and who stays",
    erases: "customer method",
    keeps: "changed_by",
  },
  {
    table: "invoiced_elsewhere",
    personal: "who set it",
    erasing: KEPT,
    keeps: "set_by",
  },
  {
    table: "payment",
    personal: "the gateway's ids of customer and card; what it said; who asked for it",
    erasing:
      "customer, card and words are removed. Amounts, times and the gateway's id of the charge stay: charges are compared with the gateway by it",
    erases: "customer method reason",
    keeps:
      "payment_id kind status currency life plan_id gateway gateway_payment brings requested_by",
  },
  { table: "payments_published", personal: NOTHING, erasing: KEPT },
  {
    table: "refund",
    personal: "what a gateway said; who asked for it",
    erasing: "words of a gateway are removed",
    erases: "reason",
    keeps: "refund_id payment_id kind status asked_by",
  },
  {
    table: "top_up_notice",
    personal: "what a gateway said",
    erasing: "words of a gateway are removed",
    erases: "reason",
    keeps: "top_up_id status currency",
  },
  {
    table: "unmatched_charge",
    personal: NOTHING,
    erasing: "an account with one is not erased",
    keeps: "gateway gateway_payment payment_id currency",
  },
  {
    table: "dead_letter",
    personal: "a message as it came, with its dimensions; what a person wrote; who decided",
    erasing: "message and words are removed; where it was and what became of it stays",
    erases: "detail key payload payload_sha256 dismissed_reason retry_refused",
    keeps: "topic reason meter dismissed_by retry_asked_by publish_refused",
  },
  {
    table: "webhook_delivery",
    personal: "what was delivered, and the answer",
    erasing: "deleted",
    erases: "body answer_start problem",
    keeps: "endpoint_id type webhook_id",
  },
  {
    table: "webhook_queue",
    personal: NOTHING,
    erasing: "an account with one is not erased",
    keeps: "endpoint_id type",
  },
  {
    table: "outbox",
    personal: "records that wait to be published",
    erasing: "an account with one is not erased",
    keeps: "topic record refused",
  },
  {
    table: "repair",
    personal: "a record as it was before a repair; who repaired it",
    erasing: "the record is removed",
    erases: "detail",
    keeps: "difference repaired_by what",
  },
  {
    table: "dashboard_token",
    personal: NOTHING,
    erasing: "deleted: links to the dashboard end",
    keeps: "secret_hash key_id revoked_by",
    secrets: "secret_hash",
  },
  {
    table: "api_key",
    personal: "the name of a key that is limited to the account; who created it",
    erasing: "kept: entries name it. Revoke it",
    keeps: "key_id name secret_hash scopes created_by account_ids revoked_by",
    secrets: "secret_hash",
    rows: "$1 = ANY (account_ids)",
  },
  {
    table: "erasure",
    personal: "who asked for it",
    erasing: "kept: that, when and what kinds were erased, never the values",
    keeps: "asked_by pseudonym_key kept_dimensions erased",
    secrets: "pseudonym_key",
    order: "sequence",
  },
  {
    table: "balance_change",
    personal: NOTHING,
    erasing: "gone within seconds",
    keeps: "account_ids",
    notExported: "that a balance is about to be published",
  },
  {
    table: "usage_identity_clash",
    personal: "a digest of an event's id",
    erasing: "kept: a repeat is found by it",
    keeps: "identity",
    notExported: "a digest",
  },
];
