/**
 * A text as a terminal may show it: a name is the merchant's own word, and control characters in it, or those that turn the direction of
 * writing, would draw lines that are not there.
 */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`);
}
