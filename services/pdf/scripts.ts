/** What stands for a letter that cannot be printed right: a glyph like any other, so that it is measured as it is drawn. */
export const STAND_IN = "□";

/** Begins a line that is laid out from right to left; it is not printed. */
export const RIGHT_TO_LEFT = "\u200f";

// The blocks whose letters run from right to left (UAX #9, table 4, and the defaults of DerivedBidiClass.txt).
const RIGHT =
  "\\u0590-\\u05ff\\u0600-\\u065f\\u066a-\\u06ef\\u06fa-\\u08ff\\ufb1d-\\ufdff\\ufe70-\\ufefe\\u{10800}-\\u{10fff}\\u{1e800}-\\u{1efff}";
const rightLetter = new RegExp(`[${RIGHT}]`, "u");
const rightLetters = new RegExp(`[${RIGHT}]`, "gu");

// Words of which one line from right to left consists without further rules: letters, joined by what stands between letters
// only; numbers, which run from left to right; and dashes. A mark of punctuation may end a word.
const END = "[.,;:!?\\u060c\\u061b\\u061f]?";
const LETTERS = `(?:(?=\\p{L})[${RIGHT}])+`;
const word = new RegExp(`^${LETTERS}(?:[-'".\\u05be\\u05f3\\u05f4]${LETTERS})*${END}$`, "u");
const number = new RegExp(`^(\\p{Nd}+(?:[.,:/]\\p{Nd}+)*)(${END})$`, "u");
const dash = /^[-–—]$/u;

/**
 * Makes a paragraph into what this printer can lay out: a stand-in for each letter that the font has no glyph of, and for each
 * letter from right to left that stands among others, since their order needs the whole of UAX #9. A paragraph of words from
 * right to left alone, with numbers, stays, and begins with RIGHT_TO_LEFT.
 */
export function layable(paragraph: string, hasGlyph: (codePoint: number) => boolean): string {
  if (!rightLetter.test(paragraph) && !paragraph.startsWith(RIGHT_TO_LEFT)) return withStandIns(paragraph, hasGlyph);
  const text = paragraph.replaceAll(RIGHT_TO_LEFT, "");
  const words = text.split(" ").filter(Boolean);
  const isPlain = words.every((one) => word.test(one) || number.test(one) || dash.test(one));
  const shown = withStandIns(text, hasGlyph);
  return isPlain && shown === text ? `${RIGHT_TO_LEFT}${text}` : shown.replaceAll(rightLetters, STAND_IN);
}

/** The words of a line in the order in which they stand on paper; undefined for one that is written as it is. */
export function wordsFromLeft(line: string): readonly string[] | undefined {
  if (!line.startsWith(RIGHT_TO_LEFT)) return undefined;
  const words = line.slice(RIGHT_TO_LEFT.length).split(" ").filter(Boolean);
  // What ends a number stands at its left; a word of letters is turned by the font.
  return words.map((one) => one.replace(number, "$2$1")).reverse();
}

// Selectors of a variant (of an emoji, mostly) show nothing of themselves.
const selectors = /[\ufe00-\ufe0f]/gu;

function withStandIns(text: string, hasGlyph: (codePoint: number) => boolean): string {
  if (/^[ -~\n]*$/.test(text)) return text;
  return Array.from(text.replaceAll(selectors, ""), (letter) =>
    letter === "\n" || hasGlyph(letter.codePointAt(0) ?? 0) ? letter : STAND_IN,
  ).join("");
}
