import { NativeTransport } from '#lib/io/udp-native.js'
import { datagramPortSuite } from './datagram-port.js'

datagramPortSuite('portable', () => new NativeTransport('portable'))
