import { DgramTransport } from '#lib/io/udp-dgram.js'
import { suite } from '../harness.js'
import { datagramLifeTests } from './datagram-life.js'
import { datagramPortTests } from './datagram-port.js'

const test = suite('dgram')
const make = (): DgramTransport => new DgramTransport()

datagramPortTests(test, make)
datagramLifeTests(test, make)

test.run()
