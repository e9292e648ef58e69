const CARD_NUMBER = /^\s*\d(?:[\s-]*\d){11,18}\s*$/;

/**
 * True for what looks like the number of a card: 12 to 19 digits, with spaces or dashes between them
 * or without. Such a number is never stored: a card is known by the payment gateway's id of it.
 */
export function looksLikeCardNumber(text: string): boolean {
  return CARD_NUMBER.test(text);
}
