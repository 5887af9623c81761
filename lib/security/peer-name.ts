import { PeernetError } from '../core/errors.js'
import { authorityBytes, isAuthority, isClassifier, type PeerNameParts } from '../pnrp/peer-name.js'

/** PEER_E_INVALID_PEER_NAME. */
const INVALID_PEER_NAME = 0x80632050

/**
 * A peer name, `authority.classifier` (MS-PNRP 2.2.4). Immutable, compared unit by unit.
 *
 * `new PeerName('0.chat')` takes a full name as it is; a classifier given alone, as in
 * `PeerName.unsecured('chat')`, is first brought to Unicode NFC.
 */
export class PeerName {
  /** '0' or 40 lower-case hex digits. */
  readonly authority: string
  /** 0..149 UTF-16 code units. */
  readonly classifier: string

  /**
   * `text` is a whole peer name; an authority without dot and classifier has the empty classifier.
   * Throws ERR_PEERNET_INVALID_PEER_NAME.
   */
  constructor(text: string) {
    const dot = text.indexOf('.')
    this.authority = dot < 0 ? text : text.slice(0, dot)
    this.classifier = dot < 0 ? '' : text.slice(dot + 1)
    checkAuthority(this.authority)
    checkClassifier(this.classifier)
  }

  /** An unsecured name: anybody may publish it. */
  static unsecured(classifier: string): PeerName {
    return PeerName.of('0', classifier)
  }

  /** A name from its parts; the classifier is normalised to NFC, then checked. */
  static of(authority: string, classifier: string): PeerName {
    checkAuthority(authority)
    return new PeerName(`${authority}.${classifier.normalize('NFC')}`)
  }

  /** Bound to an identity, so that only its owner can publish it. */
  get secured(): boolean {
    return this.authority !== '0'
  }

  /** The form that protocol machines use. */
  get parts(): PeerNameParts {
    const authority = authorityBytes(this.authority)
    const { classifier } = this
    return authority === undefined ? { classifier } : { authority, classifier }
  }

  /** Ordinal equality: case matters, and so does every code unit. */
  equals(other: { readonly authority: string; readonly classifier: string }): boolean {
    return this.authority === other.authority && this.classifier === other.classifier
  }

  toString(): string {
    return `${this.authority}.${this.classifier}`
  }

  toJSON(): string {
    return this.toString()
  }
}

function checkAuthority(authority: string): void {
  if (isAuthority(authority)) return
  invalid(`the authority is "0" or 40 digits 0-9 a-f, not ${JSON.stringify(authority)}`)
}

function checkClassifier(classifier: string): void {
  if (isClassifier(classifier)) return
  invalid(
    classifier.includes('\0')
      ? 'a classifier holds no NUL'
      : `a classifier has at most 149 UTF-16 code units, not ${classifier.length}`,
  )
}

function invalid(why: string): never {
  throw new PeernetError('ERR_PEERNET_INVALID_PEER_NAME', `not a peer name: ${why}`, {
    hresult: INVALID_PEER_NAME,
  })
}
