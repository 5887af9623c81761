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
  readonly do: 'search' | 'announce' | 'withdraw' | 'counters'
  readonly searchTarget: string
  readonly endpoint?: string
}

/** Says so when the announcement is out: from then on searches are heard. */
function announce({ searchTarget, endpoint = '' }: Command): void {
  const before = socket.counters.get('sent.ssdp-alive')
  socket.announce(searchTarget, requireEndpoint(endpoint))
  const poll = setInterval(() => {
    if (socket.counters.get('sent.ssdp-alive') === before) return
    clearInterval(poll)
    say({ announced: endpoint })
  }, 5)
}

createInterface({ input: process.stdin })
  .on('line', (text) => {
    const command = JSON.parse(text) as Command
    if (command.do === 'search') socket.search(command.searchTarget)
    else if (command.do === 'withdraw') socket.withdraw(command.searchTarget)
    else if (command.do === 'counters') say({ counters: socket.counters.snapshot() })
    else if (command.do === 'announce') announce(command)
  })
  .on('close', () => {
    void socket.close().then(() => {
      say({ closed: true })
    })
  })
