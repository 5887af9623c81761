// Ways to spoil a datagram, from a byte here and there to lengths that lie.
import fc from 'fast-check'
import { spliced, patched } from './hex.js'

type Mutation = (bytes: Uint8Array) => Uint8Array

const place = fc.nat(0xffff)
const at = (bytes: Uint8Array, chance: number) => (bytes.length === 0 ? 0 : chance % bytes.length)
/** Where elements and their numbers stand: multiples of 2. */
const evenAt = (bytes: Uint8Array, chance: number) => at(bytes, chance) & ~1

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.tuple(place, fc.nat(255)).map(
    ([chance, byte]): Mutation =>
      (bytes) =>
        bytes.length === 0 ? bytes : patched(bytes, at(bytes, chance), byte),
  ),
  fc.tuple(place, fc.nat(7)).map(([chance, bit]): Mutation => (bytes) => {
    if (bytes.length === 0) return bytes
    const index = at(bytes, chance)
    return patched(bytes, index, (bytes[index] as number) ^ (1 << bit))
  }),
  // a 16-bit number a little larger or smaller: counts, lengths, offsets
  fc
    .tuple(place, fc.constantFrom(-18, -16, -4, -2, -1, 1, 2, 4, 16, 18, 32))
    .map(([chance, change]): Mutation => (bytes) => {
      const index = evenAt(bytes, chance)
      if (index + 1 >= bytes.length) return bytes
      const word = ((bytes[index] as number) << 8) + (bytes[index + 1] as number) + change
      return patched(bytes, index, (word >> 8) & 255, word & 255)
    }),
  // another FieldID where one may stand
  fc
    .tuple(place, fc.constantFrom(0x18, 0x38, 0x39, 0x40, 0x43, 0x5a, 0x80, 0x85, 0x93, 0x9a, 0x9b))
    .map(([chance, field]): Mutation => (bytes) => {
      const index = at(bytes, chance) & ~3
      return index + 1 >= bytes.length ? bytes : patched(bytes, index, 0, field)
    }),
  // bytes taken out, zeros or others put in
  fc.tuple(place, fc.nat(40)).map(
    ([chance, count]): Mutation =>
      (bytes) =>
        spliced(bytes, at(bytes, chance), count),
  ),
  fc.tuple(place, fc.uint8Array({ maxLength: 8 })).map(
    ([chance, more]): Mutation =>
      (bytes) =>
        spliced(bytes, at(bytes, chance), 0, more),
  ),
  fc.nat(6).map(
    (zeros): Mutation =>
      (bytes) =>
        spliced(bytes, bytes.length, 0, new Uint8Array(zeros)),
  ),
  place.map(
    (chance): Mutation =>
      (bytes) =>
        bytes.slice(0, at(bytes, chance)),
  ),
  // a stretch said twice, or moved
  fc.tuple(place, fc.nat(60), place).map(([from, length, to]): Mutation => (bytes) => {
    const start = at(bytes, from) & ~3
    return spliced(bytes, at(bytes, to) & ~3, 0, bytes.slice(start, start + length))
  }),
)

/** One to three mutations, applied one after the other. */
export const mutations: fc.Arbitrary<Mutation> = fc
  .array(mutation, { minLength: 1, maxLength: 3 })
  .map(
    (steps): Mutation =>
      (bytes) =>
        steps.reduce((spoiled, step) => step(spoiled), bytes),
  )
