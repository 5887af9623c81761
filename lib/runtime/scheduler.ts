/** What the driver needs of the event loop; tests put a virtual one in its place. */
export interface Scheduler {
  /** One shot; returns what cancels it. It never keeps the process alive. */
  timer(milliseconds: number, run: () => void): () => void
  /** After the sockets had their turn. */
  soon(run: () => void): void
  /** Outside of everything on the stack: where an exception belongs that is nobody's here. */
  raise(error: unknown): void
}

/** Longest time that setTimeout accepts. */
const TIMER_MAX_MS = 0x7fff_ffff

export const systemScheduler: Scheduler = {
  timer(milliseconds, run) {
    const timer = setTimeout(run, Math.min(milliseconds, TIMER_MAX_MS))
    timer.unref()
    return () => {
      clearTimeout(timer)
    }
  },
  soon(run) {
    setImmediate(run)
  },
  raise(error) {
    process.nextTick(() => {
      throw error
    })
  },
}
