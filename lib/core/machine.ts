import type { Instant } from './instant.js'

/**
 * The shape that every protocol machine has: the template of chapter 3 of the Open Specifications.
 *
 * Handlers take time and input; polls give out work. After any handler the driver polls in this
 * order until all are empty: `pollTransmit`, `pollEffect`, `pollEvent`; then it sleeps until
 * `pollTimeout()` or the next input. A machine never calls out by itself.
 */
export interface Machine<Command, Message, Source, LocalEvent, Transmit, Effect, Event> {
  /** x.4 Higher-Layer Triggered Events. */
  handleCommand(now: Instant, command: Command): void
  /** x.5 Message Processing Events and Sequencing Rules. */
  handleMessage(now: Instant, from: Source, message: Message): void
  /** x.6 Timer Events: everything that is due at `now`. */
  handleTimeout(now: Instant): void
  /** x.7 Other Local Events, and the results of effects. */
  handleLocalEvent(now: Instant, event: LocalEvent): void
  /** Next datagram to send. */
  pollTransmit(): Transmit | undefined
  /** Next thing that the driver has to do for the machine (signing, multicast search, storing). */
  pollEffect(): Effect | undefined
  /** Next notification for the higher layer. */
  pollEvent(): Event | undefined
  /** When `handleTimeout` wants to be called next; NEVER if at no time. */
  pollTimeout(): Instant
}
