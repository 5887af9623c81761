import type { Endpoint } from '../core/endpoint.js'
import { checkArgument } from '../core/errors.js'
import { LIMITS } from '../core/limits.js'
import { nativeCode } from '../native/codes.js'
import { output } from '../native/codec.js'
import { splitAccept, splitBytes, splitClear, splitDrop, splitInit } from '../native/split.js'
import { WireLimit } from './constants.js'
import { beginFields, putAny, putBytes, putUint16 } from './fields.js'
import type { AuthorityMessage } from './messages.js'

export interface ReassemblerOptions {
  /** Incomplete buffers at a time. */
  readonly contextsPerNode: number
  /** Bytes that received fragments may take, in whole fragments of 1188. */
  readonly bytesTotal: number
  /** Incomplete buffers of one source endpoint at a time. */
  readonly contextsPerSource?: number
  /** Fragments held of one address, whatever its ports; default: as much as there is room. */
  readonly slotsPerAddress?: number
}

/** Only the room for all bounds what one address may hold. */
const UNBOUNDED = 0xffffffff

/** Why a fragment was dropped; counter names end in it. */
const DROP_REASONS = {
  ERR_PEERNET_FRAGMENT_OVERRUN: 'overrun',
  ERR_PEERNET_FRAGMENT_SIZE_CHANGED: 'size-changed',
  ERR_PEERNET_FRAGMENT_NOT_FULL: 'not-full',
  ERR_PEERNET_FRAGMENT_DUPLICATE: 'duplicate',
  ERR_PEERNET_REASSEMBLY_SOURCE_FULL: 'source-full',
  ERR_PEERNET_REASSEMBLY_FULL: 'full',
} as const

export type FragmentDrop = (typeof DROP_REASONS)[keyof typeof DROP_REASONS]

export type Reassembly =
  | { readonly complete: true; readonly buffer: Uint8Array }
  | { readonly complete: false }
  | { readonly dropped: FragmentDrop }

function dropOf(result: number): FragmentDrop {
  const code = nativeCode(-result)
  return DROP_REASONS[code as keyof typeof DROP_REASONS]
}

/**
 * Collects the fragments of AUTHORITY_BUFFERs, MS-PNRP 3.1.5.6 and N-34: keyed by the AUTHORITY's
 * Message ID and its source endpoint, in any order, bounded in number, per source and in bytes. The
 * memory is taken when the first fragment comes, and never grows.
 */
export class Reassembler {
  readonly #contexts: number
  readonly #slots: number
  readonly #perSource: number
  readonly #perAddress: number
  #memory: Uint8Array | undefined

  constructor(options: ReassemblerOptions) {
    this.#contexts = options.contextsPerNode
    this.#slots = Math.floor(options.bytesTotal / WireLimit.FRAGMENT)
    this.#perSource = options.contextsPerSource ?? LIMITS.reassembliesPerSource
    this.#perAddress = options.slotsPerAddress ?? UNBOUNDED
    const isPossible = splitBytes(this.#contexts, this.#slots) > 0
    checkArgument(isPossible, 'a reassembler needs 1..4096 contexts and 1..1024 fragments of room')
  }

  /**
   * Takes one AUTHORITY's slice. `buffer` of a whole one is a view of the message's; of a
   * reassembled one it is a new array.
   */
  accept(from: Endpoint, message: AuthorityMessage): Reassembly {
    const { messageId, ackedMessageId, size, offset, buffer } = message
    if (offset === 0 && buffer.length === size) return { complete: true, buffer }
    beginFields()
    putUint16(from.port)
    putBytes(from.address, 16, 'address')
    putAny(buffer, 'buffer')
    const memory = (this.#memory ??= this.#allocate())
    const length = buffer.length
    const result = splitAccept(memory, length, messageId, ackedMessageId, size, offset)
    if (result > 0) return { complete: true, buffer: output.slice(0, result) }
    return result === 0 ? { complete: false } : { dropped: dropOf(result) }
  }

  /** Ends what was collected for a request that is answered or given up (3.1.6.3). */
  dropByAcked(ackedMessageId: number): void {
    if (this.#memory !== undefined) splitDrop(this.#memory, ackedMessageId)
  }

  clear(): void {
    if (this.#memory !== undefined) splitClear(this.#memory)
  }

  #allocate(): Uint8Array {
    const memory = new Uint8Array(splitBytes(this.#contexts, this.#slots))
    splitInit(memory, this.#contexts, this.#slots, this.#perSource, this.#perAddress)
    return memory
  }
}
