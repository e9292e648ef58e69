import { idProblem } from "./text.ts";

const CARD_NUMBER = /^\s*\d(?:[\s-]*\d){11,18}\s*$/;

/**
 * True for a text that looks like a card number: 12 to 19 digits, perhaps with spaces or dashes between
 * them. Card numbers are never stored, only the gateway's ids of cards.
 */
export function looksLikeCardNumber(text: string): boolean {
  return CARD_NUMBER.test(text);
}

/**
 * What is wrong with the payment gateway's id of a payer or a card, as a sentence without the text itself, so
 * that no log keeps a card number; null: nothing.
 */
export function gatewayIdProblem(name: string, text: string): string | null {
  return looksLikeCardNumber(text)
    ? `${name} looks like a card number, which is never stored; give the payment gateway's id instead`
    : idProblem(name, text);
}
