import { PeernetError } from '../core/errors.js'

/** What a call that its caller aborted rejects with; `what` was not done, e.g. 'joining'. */
export function abortedError(signal: AbortSignal, what: string): PeernetError {
  return new PeernetError('ERR_PEERNET_ABORTED', `${what} was aborted`, { cause: signal.reason })
}

/** Throws ERR_PEERNET_ABORTED when the caller has aborted already. */
export function checkNotAborted(signal: AbortSignal | undefined, what: string): void {
  if (signal?.aborted === true) throw abortedError(signal, what)
}

/** The outcome of `work`, unless the signal aborts first. */
export function unlessAborted<T>(
  work: Promise<T>,
  signal: AbortSignal | undefined,
  what: string,
): Promise<T> {
  if (signal === undefined) return work
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      reject(abortedError(signal, what))
    }
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    work.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', abort)
    })
  })
}
