import * as assert from 'uvu/assert'
import { PeernetError, type ErrorCode } from '#lib/core/errors.js'
import { authorityOfKey } from '#lib/pnrp/peer-name.js'
import { chainRefusal } from '#lib/security/chain-validation.js'
import { DelegatedIdentity } from '#lib/security/delegated-identity.js'
import { Delegation, type DelegateOptions } from '#lib/security/delegation.js'
import { PeerIdentity } from '#lib/security/peer-identity.js'
import { test } from '../../harness.js'

let owner: PeerIdentity
let admin: PeerIdentity
let member: PeerIdentity
const HOUR = 3_600_000

test.before(async () => {
  owner = await PeerIdentity.create({ friendlyName: 'Owner' })
  admin = await PeerIdentity.create({ friendlyName: 'Admin' })
  member = await PeerIdentity.create({ friendlyName: 'x'.repeat(255) })
})

function refuses(code: ErrorCode, work: () => unknown, message?: RegExp): void {
  try {
    work()
  } catch (error) {
    assert.instance(error, PeernetError)
    assert.is((error as PeernetError).code, code)
    if (message !== undefined) assert.match((error as PeernetError).message, message)
    return
  }
  assert.unreachable(`expected ${code}`)
}

/** What a resolver says of a CPA by this delegate. */
function judge(
  delegation: Delegation,
  delegate: PeerIdentity,
  classifier: string,
  at = Date.now(),
) {
  return chainRefusal({
    chain: delegation.chain,
    cpaPublicKey: delegate.publicKey,
    binaryAuthority: authorityOfKey(owner.publicKey),
    classifier,
    wallMs: at,
  })
}

test('a delegation lets its delegate publish what it lists, and resolvers agree', () => {
  const delegation = owner.delegate({ to: admin, classifiers: ['fish', 'cheese'] })
  assert.is(delegation.authority, owner.authority)
  assert.is(delegation.owner, 'Owner')
  assert.is(delegation.delegate.friendlyName, 'Admin')
  assert.equal(delegation.classifiers, ['fish', 'cheese'])
  assert.is(delegation.role, 'member')
  assert.is(delegation.length, 2)
  for (const classifier of ['fish', 'cheese', 'ham', 'fish food', '']) {
    const refusal = judge(delegation, admin, classifier)
    assert.is(
      refusal,
      delegation.permits(classifier) ? undefined : 'chain-classifier-not-delegated',
    )
    assert.is(delegation.permits(classifier), ['fish', 'cheese'].includes(classifier))
  }
})

test('an empty list is every classifier; extending roles reach what begins with an entry', () => {
  const all = owner.delegate({ to: admin, classifiers: [] })
  assert.ok(all.permits('') && all.permits('anything'))
  const extending = owner.delegate({ to: admin, classifiers: ['fish'], role: 'inviting-member' })
  assert.ok(extending.permits('fish food'))
  assert.not(extending.permits('ham'))
})

test('a delegate hands on what it has, and no more', () => {
  const first = owner.delegate({ to: admin, classifiers: ['fish'], role: 'admin' })
  const second = first.extend(admin, { to: member, classifiers: ['fish'] })
  assert.is(second.length, 3)
  assert.is(judge(second, member, 'fish'), undefined)
  assert.is(judge(second, member, 'fish food'), 'chain-classifier-not-delegated')
  assert.is(judge(second, admin, 'fish'), 'chain-order')
  const third = first.extend(admin, { to: member, classifiers: ['fish food'], role: 'admin' })
  assert.is(judge(third, member, 'fish food'), undefined)
  refuses('ERR_PEERNET_NOT_AUTHORIZED', () =>
    first.extend(admin, { to: member, classifiers: ['ham'] }),
  )
  refuses('ERR_PEERNET_NOT_AUTHORIZED', () =>
    first.extend(admin, { to: member, classifiers: ['fish food'] }),
  )
  refuses('ERR_PEERNET_NOT_AUTHORIZED', () => first.extend(admin, { to: member, classifiers: [] }))
  refuses(
    'ERR_PEERNET_NOT_AUTHORIZED',
    () => first.extend(member, { to: admin, classifiers: ['fish'] }),
    /belongs to/,
  )
})

test('validity: five minutes back, a year ahead, never beyond the delegation it hangs on', () => {
  const before = Date.now()
  const delegation = owner.delegate({ to: admin, classifiers: [] })
  assert.ok(delegation.notBefore.getTime() <= before - 5 * 60_000)
  assert.ok(delegation.notBefore.getTime() >= before - 5 * 60_000 - 2000)
  assert.ok(Math.abs(delegation.notAfter.getTime() - before - 365 * 24 * HOUR) < HOUR)
  const notAfter = new Date(Math.floor(before / 1000) * 1000 + HOUR)
  const short = owner.delegate({ to: admin, classifiers: [], role: 'admin', notAfter })
  assert.equal(short.notAfter, notAfter)
  assert.is(judge(short, admin, 'x', notAfter.getTime() + 1), 'chain-validity')
  const below = short.extend(admin, { to: member, classifiers: [] })
  assert.equal(below.notAfter, notAfter)
  refuses('ERR_PEERNET_INVALID_ARG', () =>
    short.extend(admin, {
      to: member,
      classifiers: [],
      notAfter: new Date(notAfter.getTime() + 1000),
    }),
  )
  refuses('ERR_PEERNET_INVALID_ARG', () =>
    owner.delegate({ to: admin, classifiers: [], notAfter: new Date(before - HOUR) }),
  )
})

test('classifiers given to a delegation become NFC, as in names', () => {
  const delegation = owner.delegate({ to: admin, classifiers: ['cafe\u0301'] })
  assert.ok(delegation.permits('caf\u00e9'))
})

test('nonsense is refused at once', () => {
  const bad: Partial<DelegateOptions>[] = [
    { classifiers: ['x'.repeat(150)] },
    { classifiers: ['a\0'] },
    { to: { friendlyName: 'x'.repeat(256), publicKey: admin.publicKey } },
    { to: { friendlyName: 'x', publicKey: new Uint8Array(139) } },
  ]
  for (const options of bad) {
    refuses('ERR_PEERNET_INVALID_ARG', () =>
      owner.delegate({ to: admin, classifiers: [], ...options }),
    )
  }
})

test('PNRP-2.2.3.5-2 a chain ends at 25 certificates, and earlier when they grow too long', () => {
  let delegation = owner.delegate({ to: admin, classifiers: [] })
  while (delegation.length < 25)
    delegation = delegation.extend(admin, { to: admin, classifiers: [] })
  refuses('ERR_PEERNET_LIMIT', () => delegation.extend(admin, { to: admin, classifiers: [] }))
  const long = Array.from({ length: 20 }, (_, i) => `${i}`.padEnd(149, 'x'))
  refuses('ERR_PEERNET_LIMIT', () => {
    let wide = owner.delegate({ to: admin, classifiers: long })
    for (;;) wide = wide.extend(admin, { to: admin, classifiers: long })
  })
})

test('a chain survives its text form', () => {
  const first = owner.delegate({ to: admin, classifiers: ['fish', 'ü😀'], role: 'admin' })
  const second = first.extend(admin, { to: member, classifiers: ['ü😀'] })
  for (const delegation of [first, second]) {
    const again = Delegation.read(delegation.text())
    assert.equal(again.chain, delegation.chain)
    assert.equal(again.classifiers, delegation.classifiers)
    assert.is(again.authority, owner.authority)
    assert.is(again.delegate.friendlyName, delegation.delegate.friendlyName)
    assert.equal(Delegation.read(delegation.chain).chain, delegation.chain)
  }
})

test('what is handed in is checked, and the refusal is told', () => {
  const delegation = owner.delegate({
    to: admin,
    classifiers: ['fish'],
    notAfter: new Date(Date.now() + HOUR),
  })
  const later = new Date(Date.now() + 2 * HOUR)
  refuses(
    'ERR_PEERNET_CERTIFICATE',
    () => Delegation.read(delegation.text(), later),
    /chain-validity/,
  )
  const forged = Uint8Array.from(delegation.chain)
  forged[forged.length - 20] = (forged[forged.length - 20] as number) ^ 1
  refuses('ERR_PEERNET_CERTIFICATE', () => Delegation.read(forged), /chain-signature/)
  for (const text of ['', 'nonsense', owner.publicText()]) {
    refuses('ERR_PEERNET_CERTIFICATE', () => Delegation.read(text), /chain-malformed/)
  }
})

test('a delegated identity makes names of the owner, within the delegation', () => {
  const delegation = owner.delegate({ to: admin, classifiers: ['fish'] })
  const delegated = new DelegatedIdentity(admin, delegation)
  assert.is(delegated.peerName('fish').toString(), `${owner.authority}.fish`)
  refuses('ERR_PEERNET_NOT_AUTHORIZED', () => delegated.peerName('ham'), /not for "ham"/)
  refuses('ERR_PEERNET_NOT_AUTHORIZED', () => new DelegatedIdentity(member, delegation))
})

test.run()
