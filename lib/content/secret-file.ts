import { concatBytes, equalBytes } from '../core/bytes.js'
import { PeernetError } from '../core/errors.js'
import { aesCbc, Sha2, sha2 } from '../native/content-crypto.js'

/**
 * The exported form of a server secret, as Windows reads and writes it (MS-PCCRC 2.5):
 * AES-256-CBC with a zero IV and PKCS #7 padding over SHA-256(secret) || secret, the key being
 * SHA-256 of the passphrase in UTF-16LE.
 */

const ZERO_IV = new Uint8Array(16)
/** Ours: a secret is 32 bytes as a rule, and a file of another kind shall be noticed. */
const LONGEST = 65_536

function keyOf(passphrase: string): Uint8Array {
  if (passphrase === '') {
    throw new PeernetError('ERR_PEERNET_INVALID_ARG', 'a passphrase is wanted')
  }
  return sha2(Sha2.SHA256, new Uint8Array(Buffer.from(passphrase, 'utf16le')))
}

/** The bytes of the file. */
export function exportServerSecret(secret: Uint8Array, passphrase: string): Uint8Array {
  if (secret.length === 0 || secret.length > LONGEST) {
    throw new PeernetError('ERR_PEERNET_INVALID_ARG', 'a server secret of 1..65536 bytes is wanted')
  }
  const plain = concatBytes(sha2(Sha2.SHA256, secret), secret)
  const padding = 16 - (plain.length % 16)
  const padded = concatBytes(plain, new Uint8Array(padding).fill(padding))
  const file = aesCbc('encrypt', keyOf(passphrase), ZERO_IV, padded)
  if (file === undefined) throw new PeernetError('ERR_PEERNET_NATIVE', 'AES is not there')
  return file
}

/**
 * The secret in such a file. Throws ERR_PEERNET_WRONG_PASSWORD when the passphrase is another or
 * the file was changed (one cannot tell which), ERR_PEERNET_SECRET_CORRUPT for what is no such
 * file.
 */
export function importServerSecret(file: Uint8Array, passphrase: string): Uint8Array {
  if (file.length < 48 || file.length % 16 !== 0 || file.length > LONGEST + 48) {
    throw new PeernetError('ERR_PEERNET_SECRET_CORRUPT', 'this is no exported server secret')
  }
  const padded = aesCbc('decrypt', keyOf(passphrase), ZERO_IV, file) ?? new Uint8Array(16)
  const padding = padded[padded.length - 1] as number
  const plain = padded.subarray(0, padded.length - padding)
  const isPadded =
    padding >= 1 && padding <= 16 && padded.subarray(-padding).every((byte) => byte === padding)
  const secret = plain.slice(32)
  if (
    !isPadded ||
    secret.length === 0 ||
    !equalBytes(plain.subarray(0, 32), sha2(Sha2.SHA256, secret))
  ) {
    throw new PeernetError(
      'ERR_PEERNET_WRONG_PASSWORD',
      'the passphrase does not open this server secret, or the file was changed',
    )
  }
  return secret
}
