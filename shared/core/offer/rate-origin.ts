import type { Instant } from "../line/account.ts";

/** What an imported rate was made from: a list price and the markup on it. */
export interface RateOrigin {
  /** A decimal number of the source's currency, for every `listPer` units. */
  readonly listPrice: string;
  readonly listPer: bigint;
  /** The factor on the list price, a decimal number. */
  readonly markup: string;
  readonly source: RateSource;
}

/** A price table that was imported, and the terms of its import. */
export interface RateSource {
  /** When it was imported; null: it is to be. Versions made by later imports may keep its rates. */
  readonly importedAt: Instant | null;
  /** The file's name, without its folder. */
  readonly file: string;
  readonly format: string;
  /** Of the file, in hexadecimal digits. */
  readonly sha256: string;
  readonly currency: string;
  /** What a credit is worth: a decimal number of the currency. */
  readonly perCredit: string;
  /** As they were stated: 1.3, openai/gpt-5*=1.2. */
  readonly markups: readonly string[];
}
