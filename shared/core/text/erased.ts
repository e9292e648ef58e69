/** As migration 0057 forms it in `erased_value` and `erased_reference`. */
const ERASED = /^erased(-[0-9a-f]{32})?$/;

/** True for what took the place of a text that was personal: nobody can tell any more what it was. */
export function isErased(text: string): boolean {
  return ERASED.test(text);
}
