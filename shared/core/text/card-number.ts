const CARD_NUMBER = /^\s*\d(?:[\s-]*\d){11,18}\s*$/;

/**
 * True for a text that looks like a card number: 12 to 19 digits, perhaps with spaces or dashes between
 * them. Card numbers are never stored, only the gateway's ids of cards.
 */
export function looksLikeCardNumber(text: string): boolean {
  return CARD_NUMBER.test(text);
}
