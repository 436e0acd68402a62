// The addresses and keys of one busy second; a text takes some 50 bytes.
const TEXTS_MAX = 1_000;

/** Wraps a function whose result depends on its text alone: results of recent texts are kept, and all are dropped when they are too many. */
export function remember<Result>(compute: (text: string) => Result): (text: string) => Result {
  const known = new Map<string, Result>();
  return (text) => {
    const found = known.get(text);
    if (found !== undefined) return found;
    const result = compute(text);
    if (known.size >= TEXTS_MAX) known.clear();
    known.set(text, result);
    return result;
  };
}
