/** A map that holds what was used last, within a bound. */
export interface BoundedCache<Value> {
  /** Finds a value, and counts it as used. */
  get(name: string): Value | undefined;
  /** Keeps a value; what was not used for longest goes until all fit. */
  set(name: string, value: Value): void;
  delete(name: string): void;
}

/** Makes an empty cache whose values' sizes add up to `sizeMax` at most. A value that is larger than that is not kept. */
export function createBoundedCache<Value>({
  sizeMax,
  sizeOf = () => 1,
}: {
  sizeMax: number;
  sizeOf?: (value: Value) => number;
}): BoundedCache<Value> {
  // A Map keeps its entries in the order in which they were set.
  const values = new Map<string, Value>();
  let size = 0;
  const remove = (name: string) => {
    const value = values.get(name);
    if (value !== undefined && values.delete(name)) size -= sizeOf(value);
    return value;
  };
  const add = (name: string, value: Value) => {
    values.set(name, value);
    size += sizeOf(value);
  };
  return {
    get(name) {
      const value = remove(name);
      if (value !== undefined) add(name, value);
      return value;
    },
    set(name, value) {
      remove(name);
      add(name, value);
      for (const oldest of values.keys()) {
        if (size <= sizeMax) break;
        remove(oldest);
      }
    },
    delete: (name) => {
      remove(name);
    },
  };
}
