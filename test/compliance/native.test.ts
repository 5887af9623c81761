import { NativeTransport } from '#lib/io/udp-native.js'
import { suite } from '../harness.js'
import { datagramLifeTests } from './datagram-life.js'
import { datagramPortTests } from './datagram-port.js'

const test = suite('native')
const make = (): NativeTransport => new NativeTransport('native')

datagramPortTests(test, make)
datagramLifeTests(test, make)

test.run()
