// The chains that peernet writes, read by others: the openssl command and node's X509Certificate.
import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import * as assert from 'uvu/assert'
import { toHex } from '#lib/core/bytes.js'
import type { Delegation } from '#lib/security/delegation.js'
import { PeerIdentity } from '#lib/security/peer-identity.js'
import { skipUnless, test } from '../../harness.js'

let owner: PeerIdentity
let admin: PeerIdentity
let member: PeerIdentity
let delegation: Delegation
let directory = ''
let openssl = ''

test.before(async () => {
  owner = await PeerIdentity.create({ friendlyName: 'Ada Öwner' })
  admin = await PeerIdentity.create({ friendlyName: '管理' })
  member = await PeerIdentity.create({ friendlyName: 'Mia' })
  const first = owner.delegate({ to: admin, classifiers: ['fish', ''], role: 'admin' })
  delegation = first.extend(admin, {
    to: member,
    classifiers: ['fish food', '😀'],
    role: 'inviting-member',
  })
  directory = mkdtempSync(path.join(tmpdir(), 'peernet-chain-'))
  writeFileSync(path.join(directory, 'chain.der'), delegation.chain)
  writeFileSync(path.join(directory, 'chain.pem'), delegation.text())
  try {
    openssl = execFileSync('openssl', ['version'], { encoding: 'utf8' })
  } catch {
    openssl = ''
  }
})

test.after(() => {
  rmSync(directory, { recursive: true, force: true })
})

function runOpenssl(...args: string[]): string {
  skipUnless(openssl !== '', 'the openssl command is not installed')
  return execFileSync('openssl', args, { cwd: directory, encoding: 'utf8' })
}

test('PNRP-2.2.3.5-1 openssl reads the chain, three certificates, root first', () => {
  const text = runOpenssl('pkcs7', '-inform', 'DER', '-in', 'chain.der', '-print_certs', '-noout')
  const subjects = [...text.matchAll(/^subject=(.*)$/gm)]
  assert.is(subjects.length, 3)
  const fromText = runOpenssl('pkcs7', '-in', 'chain.pem', '-print_certs', '-noout')
  assert.is(fromText, text)
})

test('PNRP-2.2.3.5-3 PNRP-2.2.3.5-4 PNRP-2.2.3.5-5 openssl sees version, algorithm, serial', () => {
  const text = runOpenssl('pkcs7', '-inform', 'DER', '-in', 'chain.der', '-print_certs', '-text')
  assert.is([...text.matchAll(/Version: 3 \(0x2\)/g)].length, 3)
  // Once in the TBSCertificate and once outside of it.
  assert.is([...text.matchAll(/Signature Algorithm: sha1WithRSAEncryption/g)].length, 6)
  const serials = [...text.matchAll(/Serial Number:\s+((?:[0-9a-f]{2}:)+[0-9a-f]{2})/g)]
  assert.equal(
    serials.map(([, serial]) => (serial as string).split(':').length),
    [16, 16, 16],
  )
  assert.is([...text.matchAll(/Public-Key: \(1024 bit\)/g)].length, 3)
})

test('PNRP-2.2.3.5.1-3 openssl sees the PNRP extensions, critical, and a well-formed whole', () => {
  const text = runOpenssl('asn1parse', '-inform', 'DER', '-in', 'chain.der')
  const critical = (oid: string): number =>
    [
      ...text.matchAll(
        new RegExp(`OBJECT\\s+:${oid.replaceAll('.', '\\.')}\\n.*BOOLEAN\\s+:(255|TRUE)`, 'g'),
      ),
    ].length
  const arc = '1.3.6.1.4.1.311.44'
  assert.is(critical(`${arc}.0.1`), 3)
  assert.is(critical(`${arc}.0.4`), 3)
  assert.is(critical(`${arc}.3.1`), 3)
  assert.is(critical(`${arc}.3.3`), 2)
  assert.is(critical(`${arc}.3.5`), 2)
})

/** The certificates as openssl takes them out of the chain, read by node. */
function certificatesByOpenssl(): X509Certificate[] {
  const text = runOpenssl('pkcs7', '-inform', 'DER', '-in', 'chain.der', '-print_certs')
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? []
  return blocks.map((block) => new X509Certificate(block))
}

test('node verifies every signature of the chain', () => {
  const certificates = certificatesByOpenssl()
  assert.is(certificates.length, 3)
  certificates.forEach((certificate, i) => {
    const issuer = certificates[Math.max(0, i - 1)] as X509Certificate
    assert.ok(certificate.verify(issuer.publicKey), `certificate ${i}`)
  })
})

test('the keys in the chain are those of the identities, in order', () => {
  const keys = certificatesByOpenssl().map(({ publicKey }) =>
    publicKey.export({ type: 'pkcs1', format: 'der' }),
  )
  assert.equal(
    keys.map(toHex),
    [owner, admin, member].map(({ publicKey }) => toHex(publicKey)),
  )
})

test('PNRP-2.2.3.5-8 PNRP-2.2.3.5-9 subjects and issuers are Unicode ended by NUL', () => {
  const text = runOpenssl('asn1parse', '-inform', 'DER', '-in', 'chain.der')
  const names = [
    ...text.matchAll(/:commonName\n\s*(\d+):d=\d+\s+hl=(\d+)\s+l=\s*(\d+).*BMPSTRING/g),
  ]
  const decoded = names.map(([, at, header, length]) => {
    const start = Number(at) + Number(header)
    const bytes = delegation.chain.slice(start, start + Number(length))
    return Buffer.from(bytes).swap16().toString('utf16le')
  })
  const expected = ['Ada Öwner', 'Ada Öwner', 'Ada Öwner', '管理', '管理', 'Mia']
  assert.equal(
    decoded,
    expected.map((name) => `${name}\0`),
  )
})

test.run()
