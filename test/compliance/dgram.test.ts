import { DgramTransport } from '#lib/io/udp-dgram.js'
import { datagramPortSuite } from './datagram-port.js'

datagramPortSuite('dgram', () => new DgramTransport())
