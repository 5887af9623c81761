import { NativeTransport } from '#lib/io/udp-native.js'
import { datagramPortSuite } from './datagram-port.js'

datagramPortSuite('native', () => new NativeTransport('native'))
