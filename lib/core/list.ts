/**
 * An empty array for objects. V8 takes `[]` for an array of small integers until something else is
 * in it, and throws away code that was compiled for arrays of objects when it meets one that is new
 * (see Shapes in spec/architecture.md).
 */
export function emptyList<T extends object>(): T[] {
  const list: unknown[] = [undefined]
  list.pop()
  return list as T[]
}
