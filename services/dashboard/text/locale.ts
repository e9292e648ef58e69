/** How the viewer writes numbers and dates. Set once, before the page is drawn. */

let locale = "en-GB";
let whole = numbersOf(locale);
let percents = percentsOf(locale);
let dates = new Map<string, Intl.DateTimeFormat>();

/** Shows numbers and dates as a language (BCP 47) writes them; the words stay English. */
export function setLocale(language: string): void {
  locale = language;
  whole = numbersOf(language);
  percents = percentsOf(language);
  dates = new Map();
}

/** A whole number of at least 0 with its thousands separated. */
export function wholeText(count: bigint): string {
  return whole.format(count);
}

/** What is between a whole number and its decimals. */
function decimalMark(): string {
  const parts = whole.formatToParts(0.5);
  return parts.find(({ type }) => type === "decimal")?.value ?? ".";
}

/** A decimal of at least 0 ("1234.50") with its thousands separated. */
export function decimalText(plain: string): string {
  const [units = "0", fraction] = plain.split(".");
  const start = wholeText(BigInt(units));
  return fraction === undefined ? start : start + decimalMark() + fraction;
}

/** A decimal of at least 0 with the currency's code where the viewer expects it: "25,00 USD". */
export function moneyIn(currency: string, plain: string): string {
  const format = new Intl.NumberFormat(locale, {
    ...{ style: "currency", currency, currencyDisplay: "code", maximumFractionDigits: 0 },
  });
  const parts = format.formatToParts(0);
  return parts.map(({ type, value }) => (type === "integer" ? decimalText(plain) : value)).join("");
}

/** A whole number of hundredths: "55%", in German "55 %". */
export function percentText(hundredths: bigint): string {
  return percents.format(Number(hundredths) / 100);
}

/** A plain decimal ("10.5") for an input, as the viewer writes it. */
export function enteredText(plain: string): string {
  return plain.replace(".", decimalMark());
}

/** The plain decimal that the viewer entered, without separators of thousands. */
export function plainText(entered: string): string {
  const isComma = decimalMark() === ",";
  const separators = isComma ? /[.\s'’](?=\d{3}(\D|$))/g : /[,\s'’](?=\d{3}(\D|$))/g;
  const plain = entered.trim().replaceAll(separators, "");
  return isComma ? plain.replace(",", ".") : plain;
}

/** A date or a time of clocks in UTC. */
export function clockText(at: number, parts: Intl.DateTimeFormatOptions): string {
  const key = Object.entries(parts).join();
  const known = dates.get(key) ?? new Intl.DateTimeFormat(locale, { ...parts, timeZone: "UTC" });
  dates.set(key, known);
  return known.format(at);
}

function numbersOf(language: string): Intl.NumberFormat {
  return new Intl.NumberFormat(language, { numberingSystem: "latn", maximumFractionDigits: 1 });
}

function percentsOf(language: string): Intl.NumberFormat {
  return new Intl.NumberFormat(language, { numberingSystem: "latn", style: "percent" });
}
