import * as assert from 'uvu/assert'
import type { ChainRefusal } from '#lib/pnrp/crypto-port.js'
import { writeChain } from '#lib/security/certificate-chain.js'
import { chainRefusal } from '#lib/security/chain-validation.js'
import {
  bitString,
  contextTag,
  der,
  derNull,
  objectIdentifier,
  octetString,
  sequence,
  Tag,
} from '#lib/security/der.js'
import { bmpString, universalString } from '#lib/security/der-text.js'
import { Oid } from '#lib/security/oids.js'
import { test } from '../../harness.js'
import {
  ADMIN,
  algorithm,
  checkOf,
  classifierList,
  commonName,
  encodeCertificate,
  goodChain,
  INVITING_MEMBER,
  keyInfo,
  makeKey,
  MEMBER,
  memberCertificate,
  nothing,
  NOW,
  otherName,
  peerNames,
  roleList,
  rootCertificate,
  setExtension,
  type TestCertificate,
  type TestExtension,
  type TestChain,
} from '../../support/certificate-maker.js'
import { judge, refusedAnywhere } from './chain-judge.js'

test('PNRP-2.2.3.5-1 a good chain of three is accepted', () => {
  assert.is(judge(), undefined)
})

test('PNRP-2.2.3.5-1 PNRP-3.1.5.10-1 what is no PKCS #7 v1.5 SignedData is refused', () => {
  const { chain } = checkOf(goodChain())
  const good = encodeCertificate(goodChain().root)
  const signedData = (version: number, type: string, ...certificates: Uint8Array[]): Uint8Array =>
    sequence(
      objectIdentifier(type),
      der(
        contextTag(0),
        sequence(
          der(Tag.INTEGER, Uint8Array.of(version)),
          der(Tag.SET),
          sequence(objectIdentifier(Oid.PKCS7_DATA)),
          der(contextTag(0), ...certificates),
          der(Tag.SET),
        ),
      ),
    )
  const bad = {
    nothing,
    'a bare certificate': good,
    'a trailing byte': Buffer.concat([chain, Buffer.of(0)]),
    truncated: chain.subarray(0, -1),
    'another content type': signedData(1, Oid.PKCS7_DATA, good),
    'another version': signedData(3, Oid.PKCS7_SIGNED_DATA, good),
    'no certificates': signedData(1, Oid.PKCS7_SIGNED_DATA),
    'something else in the set': signedData(1, Oid.PKCS7_SIGNED_DATA, good, derNull()),
    'longer than an AUTHORITY_BUFFER': new Uint8Array(37_349),
  }
  for (const [title, bytes] of Object.entries(bad)) {
    assert.is(judge(undefined, { chain: bytes }), 'chain-malformed', title)
  }
})

test('PNRP-2.2.3.5-2 25 certificates are accepted, 26 are not', () => {
  const root = makeKey()
  const keys = [root, ...Array.from({ length: 25 }, () => makeKey())]
  const name = `${Buffer.from(root.authority).toString('hex')}.`
  const certificates = keys.map((key, i) =>
    encodeCertificate(
      i === 0
        ? rootCertificate(key, name)
        : memberCertificate(i, key, keys[i - 1] as typeof key, name),
    ),
  )
  const check = (length: number): ChainRefusal | undefined =>
    chainRefusal({
      chain: writeChain(certificates.slice(0, length)),
      cpaPublicKey: (keys[length - 1] as typeof root).publicKey,
      binaryAuthority: root.authority,
      classifier: 'fish',
      wallMs: NOW,
    })
  assert.is(check(25), undefined)
  assert.is(check(26), 'chain-too-long')
})

test('PNRP-2.2.3.5-3 PNRP-2.2.3.5-4 a certificate is X.509 v3 under sha1WithRSAEncryption', () => {
  const version = (n: number): Uint8Array => der(contextTag(0), der(Tag.INTEGER, Uint8Array.of(n)))
  refusedAnywhere('chain-malformed', (one) => (one.version = version(1)), 'v2')
  refusedAnywhere('chain-malformed', (one) => (one.version = version(0)), 'v1')
  refusedAnywhere('chain-malformed', (one) => (one.version = nothing), 'v1 by default')
  const sha256 = algorithm('1.2.840.113549.1.1.11')
  refusedAnywhere('chain-malformed', (one) => (one.algorithm = sha256), 'inner')
  refusedAnywhere('chain-malformed', (one) => (one.outerAlgorithm = sha256), 'outer')
  refusedAnywhere('chain-malformed', (one) => (one.trailer = derNull()), 'trailer')
})

test('PNRP-2.2.3.5-5 a serial number has exactly 16 bytes', () => {
  const serial = (length: number, first: number): Uint8Array =>
    der(Tag.INTEGER, Uint8Array.of(first), new Uint8Array(length - 1).fill(7))
  for (const length of [1, 15, 17, 20]) {
    refusedAnywhere('chain-malformed', (one) => (one.serial = serial(length, 1)), `${length}`)
  }
  refusedAnywhere('chain-malformed', (one) => (one.serial = nothing), 'none')
  // 16 bytes whose first bit is set need a 17th octet in DER, which is not part of the number.
  const padded = der(Tag.INTEGER, Uint8Array.of(0, 0x80), new Uint8Array(15))
  assert.is(
    judge((chain) => (chain.leaf.serial = padded)),
    undefined,
  )
  assert.is(
    judge((chain) => (chain.leaf.serial = serial(16, 0xff))),
    undefined,
  )
})

test('PNRP-2.2.3.5-6 unique identifiers are empty', () => {
  const id = (tag: number, ...content: number[]): Uint8Array => der(tag, Uint8Array.from(content))
  refusedAnywhere('chain-malformed', (one) => (one.uniqueIds = id(0x81, 0, 1)), 'issuer')
  refusedAnywhere('chain-malformed', (one) => (one.uniqueIds = id(0x82, 0, 1)), 'subject')
  const empty = Buffer.concat([id(0x81, 0), id(0x82, 0)])
  assert.is(
    judge((chain) => (chain.leaf.uniqueIds = empty)),
    undefined,
  )
})

test('PNRP-2.2.3.5-7 a certified key is RSA with 1024 bits', () => {
  const long = makeKey(2048)
  refusedAnywhere('chain-malformed', (one) => (one.publicKeyInfo = keyInfo(long.publicKey)), '2048')
  const pss = '1.2.840.113549.1.1.10'
  const wrongOid = (one: TestCertificate): void => {
    one.publicKeyInfo = keyInfo(goodChain().keys[0].publicKey, pss)
  }
  refusedAnywhere('chain-malformed', wrongOid, 'RSASSA-PSS')
  const bits = sequence(algorithm(Oid.RSA_ENCRYPTION), bitString(new Uint8Array(140)))
  refusedAnywhere('chain-malformed', (one) => (one.publicKeyInfo = bits), 'no RSAPublicKey')
})

test('PNRP-2.2.3.5-8 PNRP-2.2.3.5-9 subject and issuer: Unicode, at most 255 characters', () => {
  const names = {
    '256 characters': commonName(bmpString('x'.repeat(256))),
    '256 and NUL': commonName(bmpString(`${'x'.repeat(256)}\0`)),
    'NUL inside': commonName(bmpString('a\0b')),
    PrintableString: commonName(der(Tag.PRINTABLE_STRING, Buffer.from('x'))),
    'no common name': sequence(
      der(Tag.SET, sequence(objectIdentifier('2.5.4.10'), bmpString('x'))),
    ),
    'no name': sequence(),
  }
  for (const [title, name] of Object.entries(names)) {
    refusedAnywhere('chain-malformed', (one) => (one.subject = name), `subject: ${title}`)
    refusedAnywhere('chain-malformed', (one) => (one.issuer = name), `issuer: ${title}`)
  }
  const longest = commonName(bmpString(`${'x'.repeat(255)}\0`))
  const utf8 = commonName(der(Tag.UTF8_STRING, Buffer.from('x'.repeat(255))))
  for (const name of [longest, utf8]) {
    assert.is(
      judge((chain) => (chain.leaf.subject = name)),
      undefined,
    )
  }
})

test('PNRP-2.2.3.5.1-1 PNRP-2.2.3.5.1-2 alternative names: Unicode, at most 255 characters', () => {
  const values = {
    '256 characters': peerNames('x'.repeat(256)),
    'an e-mail address': sequence(der(contextTag(1, true), Buffer.from('a@b'))),
    'no name': sequence(),
    'two names': peerNames('a', 'b'),
  }
  for (const [title, value] of Object.entries(values)) {
    const set = (oid: string) => (one: TestCertificate) => {
      setExtension(one, oid, value, false)
    }
    refusedAnywhere('chain-malformed', set(Oid.SUBJECT_ALT_NAME), title)
    refusedAnywhere('chain-malformed', set(Oid.ISSUER_ALT_NAME), title)
  }
})

test('alternative names may be directory names, and may bear the older identifiers', () => {
  const directory = sequence(der(contextTag(4), commonName(bmpString('alt 1\0'))))
  assert.is(
    judge((chain) => {
      setExtension(chain.leaf, Oid.ISSUER_ALT_NAME, directory, false)
    }),
    undefined,
  )
  // MS-PPSEC: 2.5.29.7 and .8 hold peer names, and .17 a DNS form that is not compared.
  assert.is(
    judge((chain) => {
      setExtension(chain.middle, Oid.SUBJECT_ALT_NAME_OLD, peerNames('alt 1'), false)
      setExtension(
        chain.middle,
        Oid.SUBJECT_ALT_NAME,
        sequence(der(0x82, Buffer.from('a.b'))),
        false,
      )
      setExtension(chain.leaf, Oid.ISSUER_ALT_NAME, undefined)
      setExtension(chain.leaf, Oid.ISSUER_ALT_NAME_OLD, peerNames('alt 1'), false)
    }),
    undefined,
  )
})

test('PNRP-2.2.3.5.1-4 an unknown extension refuses the certificate if critical', () => {
  const unknown = '1.3.6.1.4.1.311.44.9.9'
  const basicConstraints = '2.5.29.19'
  for (const oid of [unknown, basicConstraints]) {
    refusedAnywhere('chain-critical-extension', (one) => {
      setExtension(one, oid, sequence())
    })
    assert.is(
      judge((chain) => {
        setExtension(chain.leaf, oid, sequence(), false)
      }),
      undefined,
    )
  }
})

test('PNRP-2.2.3.5.1-3 a PNRP extension that is not critical refuses the certificate', () => {
  const oids = [
    Oid.CERTIFICATE_TYPE,
    Oid.CERTIFICATE_VERSION,
    Oid.PEER_NAME,
    Oid.ROLE,
    Oid.CLASSIFIERS,
  ]
  for (const oid of oids) {
    assert.is(
      judge((chain) => {
        const at = chain.leaf.extensions.findIndex(([one]) => one === oid)
        const [, , value] = chain.leaf.extensions[at] as TestExtension
        chain.leaf.extensions[at] = [oid, false, value]
      }),
      'chain-malformed',
    )
  }
})

test('critical extensions of MS-PPSEC are understood: flags of zero, peer authentication', () => {
  const zero = octetString(new Uint8Array(4))
  const usage = (...oids: string[]): Uint8Array => sequence(...oids.map(objectIdentifier))
  const serverAuthentication = '1.3.6.1.5.5.7.3.1'
  const known: [string, Uint8Array][] = [
    [Oid.IDENTITY_FLAGS, zero],
    [Oid.GROUPING_FLAGS, zero],
    [Oid.EXTENDED_KEY_USAGE, usage(serverAuthentication, Oid.PEER_AUTHENTICATION)],
  ]
  for (const [oid, value] of known) {
    assert.is(
      judge((chain) => {
        setExtension(chain.middle, oid, value)
      }),
      undefined,
      oid,
    )
  }
  refusedAnywhere('chain-critical-extension', (one) => {
    setExtension(one, Oid.EXTENDED_KEY_USAGE, usage(serverAuthentication))
  })
  refusedAnywhere('chain-malformed', (one) => {
    setExtension(one, Oid.GROUPING_FLAGS, octetString(Uint8Array.of(1, 0, 0, 0)))
  })
})

test('an extension that occurs twice refuses the certificate', () => {
  refusedAnywhere('chain-malformed', (one) => {
    one.extensions.push([Oid.CERTIFICATE_VERSION, true, octetString(Uint8Array.of(1, 0, 2, 0))])
  })
})

test('PNRP-2.2.3.5.1.1-1 PNRP-2.2.3.5.1.1-3 PNRP-3.1.5.10-7 the first is a root', () => {
  const root = (value: Uint8Array | undefined) => (chain: TestChain) => {
    setExtension(chain.root, Oid.CERTIFICATE_TYPE, value)
  }
  const type = (...octets: number[]): Uint8Array => octetString(Uint8Array.from(octets))
  for (const value of [undefined, type(1, 0, 0, 0), type(3, 0, 0, 0), type(0, 0, 0, 2)]) {
    assert.is(judge(root(value)), 'chain-root-type')
  }
  for (const value of [type(2), type(2, 0, 0, 0, 0), der(Tag.INTEGER, Uint8Array.of(2))]) {
    assert.is(judge(root(value)), 'chain-malformed')
  }
})

test('PNRP-2.2.3.5.1.1-2 PNRP-2.2.3.5.1.1-4 all others are members', () => {
  for (const which of ['middle', 'leaf'] as const) {
    for (const value of [undefined, 2, 3, 0]) {
      assert.is(
        judge((chain) => {
          const octets = value === undefined ? value : octetString(Uint8Array.of(value, 0, 0, 0))
          setExtension(chain[which], Oid.CERTIFICATE_TYPE, octets)
        }),
        'chain-member-type',
      )
    }
  }
})

test('PNRP-2.2.3.5.1.2-1 PNRP-2.2.3.5.1.2-2 every certificate is of version 01 00 02 00', () => {
  const values = [undefined, octetString(Uint8Array.of(2, 0, 1, 0)), octetString(Uint8Array.of(1))]
  for (const value of values) {
    refusedAnywhere('chain-version', (one) => {
      setExtension(one, Oid.CERTIFICATE_VERSION, value)
    })
  }
})

test('PNRP-2.2.3.5.1.3-1 PNRP-3.1.5.10-10 first and last carry the same PnrpPeerName', () => {
  const other = peerNames('0.other')
  for (const which of ['root', 'leaf'] as const) {
    for (const value of [undefined, other]) {
      assert.is(
        judge((chain) => {
          setExtension(chain[which], Oid.PEER_NAME, value)
        }),
        'chain-peer-name',
      )
    }
  }
  // Nothing is said of those in between.
  for (const value of [undefined, other]) {
    assert.is(
      judge((chain) => {
        setExtension(chain.middle, Oid.PEER_NAME, value)
      }),
      undefined,
    )
  }
})

test('PNRP-2.2.3.5.1.3-2 PNRP-2.2.3.5.1.3-3 PnrpPeerName is one otherName of its own type', () => {
  const values = [
    peerNames('0.a', '0.a'),
    sequence(),
    sequence(otherName(Oid.CLASSIFIER_VALUE, universalString('0.a'))),
    sequence(der(contextTag(2, true), Buffer.from('0.a'))),
  ]
  for (const value of values) {
    refusedAnywhere('chain-malformed', (one) => {
      setExtension(one, Oid.PEER_NAME, value)
    })
  }
})

test('PNRP-2.2.3.5.1.3-4 PnrpPeerName has the syntax of a peer name', () => {
  const longest = `0.${'x'.repeat(149)}`
  for (const name of ['', 'x', '1.x', '0.a\0', `${longest}x`]) {
    assert.is(
      judge((chain) => {
        setExtension(chain.root, Oid.PEER_NAME, peerNames(name))
        setExtension(chain.leaf, Oid.PEER_NAME, peerNames(name))
      }),
      'chain-peer-name',
      name,
    )
  }
  assert.is(
    judge((chain) => {
      setExtension(chain.root, Oid.PEER_NAME, peerNames(longest))
      setExtension(chain.leaf, Oid.PEER_NAME, peerNames(longest))
    }),
    undefined,
  )
})

test('PNRP-2.2.3.5.1.4-1 PNRP-2.2.3.5.1.4-2 all but the first have defined roles', () => {
  const unknown = '00112233445566778899aabbccddeeff'
  for (const which of ['middle', 'leaf'] as const) {
    for (const value of [undefined, roleList(unknown), roleList(ADMIN, unknown), roleList('00')]) {
      assert.is(
        judge((chain) => {
          setExtension(chain[which], Oid.ROLE, value)
        }),
        'chain-role',
      )
    }
  }
  assert.is(
    judge((chain) => {
      setExtension(chain.leaf, Oid.ROLE, sequence())
    }),
    'chain-malformed',
  )
})

test('role GUIDs count in printed order and in the layout of Windows memory (N-47)', () => {
  // "cheese-like" is delegated from "cheese" under the extending roles only. Layouts by hand.
  const extending = [
    ADMIN,
    '2771380456aa0a458ce54f565c6790f4',
    INVITING_MEMBER,
    '89fd704318dcfb4c8dbf9853a8a9f905',
    'dd15f41ffc4e4922b0354c06a754d01d',
    '1ff415dd4efc2249b0354c06a754d01d',
  ]
  const withRole = (uuid: string): ChainRefusal | undefined =>
    judge((chain) => {
      setExtension(chain.leaf, Oid.ROLE, roleList(uuid))
    })
  for (const uuid of extending) assert.is(withRole(uuid), undefined, uuid)
  for (const uuid of [MEMBER, 'c7c42df15708a04c93fcb1bb19a3d8c2']) {
    assert.is(withRole(uuid), 'chain-classifier-delegation', uuid)
  }
})

test('PNRP-2.2.3.5.1.5-1 all but the first have a PnrpClassifiersList', () => {
  for (const which of ['middle', 'leaf'] as const) {
    assert.is(
      judge((chain) => {
        setExtension(chain[which], Oid.CLASSIFIERS, undefined)
      }),
      'chain-classifier-delegation',
    )
  }
  assert.is(
    judge((chain) => {
      setExtension(chain.root, Oid.CLASSIFIERS, classifierList())
    }),
    undefined,
  )
})

test('PNRP-2.2.3.5.1.5-2 PNRP-2.2.3.5.1.5-3 a classifier is an otherName of its own type', () => {
  const values = [
    sequence(otherName(Oid.PEER_NAME_VALUE, universalString('fish'))),
    sequence(der(contextTag(2, true), Buffer.from('fish'))),
    universalString('fish'),
  ]
  for (const value of values) {
    refusedAnywhere('chain-malformed', (one) => {
      setExtension(one, Oid.CLASSIFIERS, value)
    })
  }
})

test('classifiers may be BMPString and UTF8String, and empty (N-48, N-70)', () => {
  for (const text of [bmpString('fish'), der(Tag.UTF8_STRING, Buffer.from('fish'))]) {
    assert.is(
      judge((chain) => {
        const list = sequence(otherName(Oid.CLASSIFIER_VALUE, text))
        setExtension(chain.leaf, Oid.CLASSIFIERS, list)
      }),
      undefined,
    )
  }
  assert.is(
    judge(
      (chain) => {
        setExtension(chain.middle, Oid.CLASSIFIERS, classifierList(''))
        setExtension(chain.leaf, Oid.CLASSIFIERS, classifierList(''))
      },
      { classifier: '' },
    ),
    undefined,
  )
})

test.run()
