import type { GraphRecord, RecordFields } from '../wire/graph/record.js'

/** What a provider's session gives out, in order, after it was fed. */
export type SessionOutput =
  /** Send these bytes as one frame: a token of the negotiation, or protected data. */
  | { readonly type: 'frame'; readonly bytes: Uint8Array }
  /** Bytes of the peer's messages, unprotected. */
  | { readonly type: 'plain'; readonly bytes: Uint8Array }
  /** The negotiation is complete: the connection is AUTHENTICATED (3.1.5.1.2). */
  | { readonly type: 'complete' }
  /** Something could not be protected or read: that message is dropped (3.1.7.1, 3.1.5.2). */
  | { readonly type: 'dropped'; readonly why: string }
  /** The negotiation failed: the connection ends. */
  | { readonly type: 'failed'; readonly why: string }

/**
 * The security of one connection. It may be at work longer than a call (TLS in another stack): its
 * driver then tells the machine by the local event 'session', and the machine polls again.
 */
export interface SecuritySession {
  /** AUTH_INFO was sent, or accepted. */
  start(): void
  /** A frame came in. The bytes are only valid during the call. */
  receive(frame: Uint8Array): void
  /** Protect bytes of a message; becomes one or more frames of at most `maxFrame`. */
  protect(plain: Uint8Array): void
  poll(): SessionOutput | undefined
  close(): void
}

export type RecordVerdict = 'valid' | 'invalid' | 'defer'

/** Extension point of MS-PPGRH 1.3.4, 3.1.7.27, 3.1.7.28. Without one a graph has no security. */
export interface GraphSecurityProvider {
  /** Which one it is: kept with the database, which opens with no other (3.1.4.2). Not empty. */
  readonly name: string
  /** Max Frame Size under this provider, at most 32,768. */
  readonly maxFrame: number
  openSession(options: {
    readonly connection: number
    readonly initiator: boolean
    readonly direct: boolean
    /** Of the other side: what AUTH_INFO said, or what is wanted. */
    readonly peerId: string | undefined
  }): SecuritySession
  /** Quick, and without touching the graph. Called for each record from the network or the disk. */
  validate(record: GraphRecord): RecordVerdict
  /** The Security Data of a record that is about to be published; undefined: not permitted. */
  secure(record: RecordFields, operation: 'add' | 'update' | 'delete'): Uint8Array | undefined
}
