// Searches for datagrams of WS-Discovery that the decoder in TypeScript, or a host that hears them,
// does not stand. Mutates a corpus as text, as markup and as bytes; what is new in its outcome is
// mutated further. Same seed, same inputs.
//
//   node build/js/test/fuzz/discovery-xml.js --seconds 60 --findings DIRECTORY
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual } from 'node:util'
import { PeernetError } from '#lib/core/errors.js'
import { LIMITS } from '#lib/core/limits.js'
import { below, SeededRng } from '#lib/core/rng.js'
import type { DiscoveryMessage } from '#lib/discovery/wsd/messages.js'
import { decodeDiscovery } from '#lib/discovery/wsd/read.js'
import { encodeDiscovery } from '#lib/discovery/wsd/write.js'
import { at, Host } from '../support/wsd-world.js'

const CORPUS = 'test/fuzz/corpus/discovery_xml'

type Decode = (bytes: Uint8Array) => DiscoveryMessage | string

const FAULTS = new Set(
  ['too-long', 'not-text', 'too-much', 'not-xml', 'other', 'header', 'scopes', 'match'].sort(),
)

function demand(condition: boolean, what: string): void {
  if (!condition) throw new Error(`broken: ${what}`)
}

function checkMessage(message: DiscoveryMessage): void {
  const { messageId } = message
  demand(messageId.length >= 1 && messageId.length <= LIMITS.wsdMessageIdLength, 'message ID')
  if (message.type === 'probe') {
    const { segmentIds } = message
    demand(segmentIds.length >= 1 && segmentIds.length <= LIMITS.wsdSegmentIds, 'segments')
    demand(
      segmentIds.every(({ length }) => [32, 48, 64].includes(length)),
      'length of an ID',
    )
    return
  }
  demand(message.matches.length >= 1 && message.matches.length <= LIMITS.wsdMatches, 'matches')
  demand(message.relatesTo.length <= LIMITS.wsdMessageIdLength, 'name of the probe')
  for (const match of message.matches) {
    const { addresses } = match
    demand(addresses.length >= 1 && addresses.length <= LIMITS.wsdAddresses, 'addresses')
    demand(
      addresses.every(({ host, port }) => /^[\w.:%-]+$/.test(host) && port > 0 && port < 65_536),
      'an address that is more than one',
    )
  }
}

/** What is read can be written, and is then read as the same; or it cannot be written at all. */
function checkAgain(message: DiscoveryMessage, decode: Decode): void {
  let written: Uint8Array
  try {
    written = encodeDiscovery(message)
  } catch (error) {
    demand(error instanceof PeernetError, `the encoder throws ${String(error)}`)
    return
  }
  const again = decode(written)
  if (typeof again === 'object' && again.type === 'probe' && message.type === 'probe') {
    const { segmentIds, messageId, version } = again
    const { segmentIds: before, ...rest } = message
    demand(isDeepStrictEqual(segmentIds, before), 'IDs after writing')
    demand(messageId === rest.messageId && version === rest.version, 'probe after writing')
  } else demand(isDeepStrictEqual(again, message), 'answer after writing')
}

/** Hears every datagram of a run: it must neither throw nor say more than it may. */
class Neighbour {
  readonly #host = new Host(1)
  readonly #from = at('192.0.2.9', 50_000)
  #now = 0

  constructor() {
    for (let byte = 0; byte < 256; byte++) this.#host.shelf.put(byte, 512)
    this.#host.announces()
    this.#host.agent.find(0, 1, [{ id: new Uint8Array(32).fill(1) }])
  }

  hears(bytes: Uint8Array): number {
    this.#now += 1_000_000
    this.#host.hears(this.#now, this.#from, bytes)
    const sent = this.#host.runTo(this.#now + 100_000).filter(({ via }) => via === 'group')
    demand(sent.length <= 1, 'more than one answer')
    const [answer] = sent
    if (answer !== undefined) {
      demand(answer.data.length < LIMITS.wsdAnswerFactor * bytes.length, 'it amplifies')
    }
    this.#host.events()
    return sent.length
  }
}

/** The outcome in a word: inputs with a new one are kept to be mutated further. */
function judge(bytes: Uint8Array, decode: Decode, neighbour: Neighbour): string {
  const before = Uint8Array.from(bytes)
  const message = decode(bytes)
  demand(isDeepStrictEqual(before, Uint8Array.from(bytes)), 'the input was changed')
  const answers = neighbour.hears(bytes)
  if (typeof message === 'string') {
    demand(FAULTS.has(message), `unknown fault ${message}`)
    demand(answers === 0, 'an answer to what is no probe')
    return message
  }
  checkMessage(message)
  checkAgain(message, decode)
  if (message.type === 'probe') {
    return `probe ${message.version} ${message.segmentIds.length} ${answers}`
  }
  const kinds = message.matches.map(({ version, addresses }) => `${version}/${addresses.length}`)
  return `matches ${kinds.join(' ')} ${message.relatesTo === ''}`
}

const DICTIONARY = [
  ...['<', '>', '&', '"', "'", '</', '/>', ']]>', '<![CDATA[', '<!--', '-->', '<?x y?>', '\u0000'],
  ...['<!DOCTYPE a [<!ENTITY b "c">]>', '&b;', '&lt;', '&#60;', '&#x0;', '&#13;', '&#xD800;'],
  ...['xmlns="x"', ' xmlns:a="b"', ' xmlns:xml="x"', ' xmlns:xmlns="x"', 'xml:', 'PeerDist:'],
  ...['soap:Envelope', 'wsd:Scopes', 'wsd:Types', 'PeerDist:PeerDistData', ':', '::', ' ', '\r\n'],
  ...['<a>', '</a>', '<a ', 'MatchBy=""', '[::1]:80', 'http://[fe80::1%25eth0]:1/x', ':65536'],
  ...['\ufeff', '\u0085', '\u2028', '\ud83d\ude00', 'A'.repeat(70), '='.repeat(3), 'ff'.repeat(32)],
]

/** Makes inputs out of inputs. */
class Mutator {
  readonly #rng: SeededRng

  constructor(seed: number) {
    this.#rng = new SeededRng(seed)
  }

  pick<T>(list: readonly T[]): T {
    return list[below(this.#rng, list.length)] as T
  }

  next(pool: readonly Uint8Array[]): Uint8Array {
    let bytes = this.pick(pool)
    for (let left = 1 + below(this.#rng, 4); left > 0; left--) {
      bytes = below(this.#rng, 4) === 0 ? this.#bytes(bytes) : this.#markup(bytes, pool)
    }
    return bytes
  }

  #bytes(bytes: Uint8Array): Uint8Array {
    const out = Uint8Array.from(bytes)
    const place = below(this.#rng, out.length + 1)
    switch (below(this.#rng, 3)) {
      case 0:
        out[place] = below(this.#rng, 256)
        return out
      case 1:
        return out.subarray(0, place)
      default:
        return Buffer.concat([out.subarray(0, place), out.subarray(below(this.#rng, place + 1))])
    }
  }

  #markup(bytes: Uint8Array, pool: readonly Uint8Array[]): Uint8Array {
    const parts = Buffer.from(bytes)
      .toString()
      .split(/(?=<)|(?<=>)/)
    const [from, to] = [below(this.#rng, parts.length), below(this.#rng, parts.length)]
    const [low, high] = [Math.min(from, to), Math.max(from, to)]
    switch (below(this.#rng, 7)) {
      case 0: {
        const part = parts[from] ?? ''
        const place = below(this.#rng, part.length + 1)
        parts[from] = part.slice(0, place) + this.pick(DICTIONARY) + part.slice(place)
        break
      }
      case 1:
        parts.splice(low, high - low + 1)
        break
      case 2:
        parts.splice(to, 0, ...parts.slice(low, high + 1))
        break
      case 3: {
        const other = Buffer.from(this.pick(pool))
          .toString()
          .split(/(?=<)|(?<=>)/)
        parts.splice(from, 1, ...other.slice(below(this.#rng, other.length)))
        break
      }
      case 4: {
        const times = this.pick([2, 9, 17, 40, 300])
        parts[from] = this.pick(['<a>', '<b/>', ' ', 'x', parts[from] ?? '']).repeat(times)
        break
      }
      case 5:
        parts[from] = (parts[from] ?? '').replace(
          /^(<[^/!?\s>]+)/,
          (tag: string) => `${tag}${this.#attributes()}`,
        )
        break
      default:
        ;[parts[from], parts[to]] = [parts[to] ?? '', parts[from] ?? '']
    }
    // Longer than a datagram says nothing new.
    return Buffer.from(parts.join('')).subarray(0, 66_000)
  }

  #attributes(): string {
    const count = this.pick([1, 2, 31, 40])
    return Array.from({ length: count }, (_, i) => ` a${i}="${this.pick(DICTIONARY)}"`).join('')
  }
}

export function corpus(): Uint8Array[] {
  return readdirSync(CORPUS)
    .sort()
    .map((name) => new Uint8Array(readFileSync(path.join(CORPUS, name))))
}

export interface Searched {
  readonly inputs: number
  readonly outcomes: number
  /** The longest that one input took. */
  readonly slowestMs: number
  readonly failure: { readonly input: Uint8Array; readonly error: unknown } | undefined
}

/** Until `goOn` says no, asked before each input, or something fails. */
export function search(
  seed: number,
  goOn: (inputs: number) => boolean,
  decode: Decode = decodeDiscovery,
): Searched {
  const mutator = new Mutator(seed)
  const neighbour = new Neighbour()
  const seeds = corpus()
  const pool = [...seeds]
  const outcomes = new Set<string>()
  let [inputs, slowestMs] = [0, 0]
  while (goOn(inputs)) {
    const input = seeds[inputs] ?? mutator.next(pool)
    inputs += 1
    const start = performance.now()
    try {
      const outcome = judge(input, decode, neighbour)
      if (!outcomes.has(outcome) && outcomes.size < 4096) {
        outcomes.add(outcome)
        pool.push(input)
      }
    } catch (error) {
      return { inputs, outcomes: outcomes.size, slowestMs, failure: { input, error } }
    }
    slowestMs = Math.max(slowestMs, performance.now() - start)
  }
  return { inputs, outcomes: outcomes.size, slowestMs, failure: undefined }
}

function main(args: readonly string[]): void {
  const after = (name: string, otherwise: string): string =>
    args.includes(name) ? (args[args.indexOf(name) + 1] ?? otherwise) : otherwise
  const end = performance.now() + Number(after('--seconds', '60')) * 1000
  const seed = Date.now() % 0x1_0000_0000
  const { failure, inputs, outcomes, slowestMs } = search(seed, () => performance.now() < end)
  const about = `${inputs} inputs, ${outcomes} outcomes, slowest ${slowestMs.toFixed(0)} ms`
  if (failure === undefined) {
    console.log(`clean, ${about}`)
    return
  }
  const findings = after('--findings', 'build/fuzz/findings')
  mkdirSync(findings, { recursive: true })
  const file = path.join(findings, `discovery_xml-${seed}-${inputs}`)
  writeFileSync(file, failure.input)
  console.log(`FAILED, ${about}, seed ${seed}: ${file}\n${String(failure.error)}`)
  process.exitCode = 1
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main(process.argv.slice(2))
