// Runs in a host of the hub: searches and announces by SSDP as told on standard input.
import { createInterface } from 'node:readline'
import { formatEndpoint, requireEndpoint } from '#lib/core/address-text.js'
import { localAddresses } from '#lib/io/interfaces.js'
import { DgramTransport } from '#lib/io/udp-dgram.js'
import { nativeTransport } from '#lib/io/udp-native.js'
import { SsdpSocket } from '#lib/io/ssdp-socket.js'
import { SystemClock } from '#lib/io/system-clock.js'
import { SystemRng } from '#lib/io/system-rng.js'
import { ssdpLinks } from '#lib/runtime/ssdp.js'

const kind = process.argv[2]
const say = (line: unknown): void => {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

const socket = new SsdpSocket({
  transport: kind === 'dgram' ? new DgramTransport() : nativeTransport('native'),
  clock: new SystemClock(),
  rng: new SystemRng(),
  links: () =>
    ssdpLinks(
      localAddresses().filter((one) => one.kind === 'link-local'),
      false,
    ),
  onFinding: ({ searchTarget, endpoint }) => {
    say({ found: formatEndpoint(endpoint), searchTarget })
  },
  onUnavailable: (reason) => {
    say({ unavailable: reason })
  },
})

interface Command {
  readonly do: 'search' | 'announce' | 'withdraw' | 'await'
  readonly searchTarget: string
  readonly endpoint?: string
  /** Of 'await': say so when this has been counted. */
  readonly counter?: string
}

function awaitCounter(name: string): void {
  const poll = setInterval(() => {
    if (socket.counters.get(name) === 0) return
    clearInterval(poll)
    say({ counted: name })
  }, 5)
}

function obey(command: Command): void {
  const { counter = '', endpoint = '', searchTarget } = command
  if (command.do === 'search') socket.search(searchTarget)
  else if (command.do === 'withdraw') socket.withdraw(searchTarget)
  else if (command.do === 'announce') socket.announce(searchTarget, requireEndpoint(endpoint))
  else awaitCounter(counter)
}

createInterface({ input: process.stdin })
  .on('line', (text) => {
    obey(JSON.parse(text) as Command)
  })
  .on('close', () => {
    void socket.close()
  })
