// Content hashed by the native core, on the thread pool and in pieces, against a checker that holds
// the whole content in memory and uses node:crypto (helpers/content-checker.ts).
// test-limit: 180s
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import * as assert from 'uvu/assert'
import type { HashScheme } from '#lib/content/algorithms.js'
import { ContentHasher } from '#lib/content/content-hasher.js'
import { writeContentInfo } from '#lib/content/write-info.js'
import { toHex } from '#lib/core/bytes.js'
import { hashBytes, hashFile, hashOpenFile } from '#lib/io/hash-content.js'
import { contentSelfTest } from '#lib/native/content-crypto.js'
import { checkContentInfo, sampleContent, segmentLengths } from '../../helpers/content-checker.js'
import { suite } from '../../harness.js'

const test = suite('hash content')
const secret = new Uint8Array(Buffer.from('no more secrets'))
const MIB = 1 << 20
const SCHEMES: readonly HashScheme[] = [
  { version: 1, algorithm: 'sha256' },
  { version: 1, algorithm: 'sha384' },
  { version: 1, algorithm: 'sha512' },
  { version: 2, algorithm: 'sha512' },
]
const SIZES = [1, 65_535, 65_536, 65_537, 32 * MIB - 1, 32 * MIB, 32 * MIB + 1, 100 * MIB]

const directory = mkdtempSync(path.join(tmpdir(), 'peernet-content-'))
const file = path.join(directory, 'content')
test.after(() => {
  rmSync(directory, { recursive: true })
})

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'none',
    (error: unknown) => (error as { code: string }).code,
  )

for (const size of SIZES) {
  test(`D-002 D-003 D-005 D-006 a file of ${size} bytes is described as the checker finds it`, async () => {
    const content = sampleContent(size, size)
    writeFileSync(file, content)
    for (const scheme of SCHEMES) {
      const hashed = await hashFile(file, scheme)
      const checked = checkContentInfo(writeContentInfo(hashed, secret), content, secret)
      assert.is(checked.version, scheme.version)
      assert.is(checked.rangeLength, size)
      if (scheme.version === 2) assert.equal(checked.lengths, segmentLengths(content))
    }
  })
}

test('D-022 segments of any content keep to 32 … 128 KiB, and the same content gives the same ones', async () => {
  const contents = [
    sampleContent(20 * MIB, 3),
    new Uint8Array(20 * MIB),
    new Uint8Array(20 * MIB).map((_, i) => i % 251),
    sampleContent(8 * MIB + 5, 4),
    sampleContent(16 * MIB - 40_000, 5),
  ]
  for (const content of contents) {
    const scheme = { version: 2, algorithm: 'sha512' } as const
    const { segments } = await hashBytes(content, scheme)
    const lengths = [...segments.lengths]
    for (const length of lengths.slice(0, -1)) assert.ok(length >= 32_768 && length <= 131_072)
    assert.ok((lengths.at(-1) as number) >= 1 && (lengths.at(-1) as number) <= 131_072)
    assert.equal([...(await hashBytes(content, scheme)).segments.lengths], lengths)
    assert.equal(lengths, segmentLengths(content))
  }
})

test('D-022 bytes put in near the start change few segments of version 2', async () => {
  const scheme = { version: 2, algorithm: 'sha512' } as const
  const content = sampleContent(24 * MIB, 6)
  const longer = new Uint8Array(content.length + 100)
  longer.set(content.subarray(0, 1000))
  longer.set(content.subarray(1000), 1100)
  const hashesOf = async (bytes: Uint8Array): Promise<Set<string>> => {
    const { hashes } = (await hashBytes(bytes, scheme)).segments
    return new Set(
      Array.from({ length: hashes.length / 32 }, (_, i) =>
        toHex(hashes.subarray(i * 32, i * 32 + 32)),
      ),
    )
  }
  const before = await hashesOf(content)
  const after = await hashesOf(longer)
  const kept = [...after].filter((hash) => before.has(hash)).length
  assert.ok(kept >= after.size * 0.93, `${kept} of ${after.size} segments are the same`)
})

test('content in pieces of any size is hashed as the whole file is', async () => {
  const content = sampleContent(9 * MIB + 12_345, 7)
  for (const scheme of SCHEMES) {
    const whole = writeContentInfo(await hashBytes(content, scheme), secret)
    for (const piece of [MIB + 1, 65_536, 99_991, content.length]) {
      const hasher = new ContentHasher(scheme)
      for (let at = 0; at < content.length; at += piece) {
        hasher.push(content.subarray(at, at + piece))
      }
      assert.equal(writeContentInfo(hasher.finish(), secret), whole)
    }
  }
})

test('D-022 segments of a fixed length are that long, but for the last', async () => {
  const content = sampleContent(17 * MIB + 1, 8)
  for (const segmentBytes of [4096, 10_000, 61_440, 131_072]) {
    const scheme = { version: 2, algorithm: 'sha512', segmentBytes } as const
    const hashed = await hashBytes(content, scheme)
    const lengths = [...hashed.segments.lengths]
    assert.is(lengths.length, Math.ceil(content.length / segmentBytes))
    assert.ok(lengths.slice(0, -1).every((length) => length === segmentBytes))
    const hasher = new ContentHasher(scheme, scheme)
    hasher.push(content)
    assert.equal([...hasher.finish().segments.lengths], lengths)
    checkContentInfo(writeContentInfo(hashed, secret), content, secret)
  }
})

test('empty content is refused', async () => {
  writeFileSync(file, '')
  for (const scheme of SCHEMES) {
    assert.is(await codeOf(hashFile(file, scheme)), 'ERR_PEERNET_CONTENT_EMPTY')
    const bytes = hashBytes(new Uint8Array(0), scheme)
    assert.is(await codeOf(bytes), 'ERR_PEERNET_CONTENT_EMPTY')
    assert.throws(
      () => new ContentHasher(scheme).finish(),
      (error: { code: string }) => error.code === 'ERR_PEERNET_CONTENT_EMPTY',
    )
  }
})

test('hashing can be aborted, before and while it runs, and tells how far it is', async () => {
  const content = sampleContent(64 * MIB, 9)
  const [scheme] = SCHEMES as [HashScheme]
  assert.is(
    await codeOf(hashBytes(content, { ...scheme, signal: AbortSignal.abort() })),
    'ERR_PEERNET_ABORTED',
  )
  const abort = new AbortController()
  const running = codeOf(hashBytes(content, { ...scheme, signal: abort.signal }))
  abort.abort()
  assert.is(await running, 'ERR_PEERNET_ABORTED')
  let last = 0
  const onProgress = (bytes: number, total: number): void => {
    assert.is(total, content.length)
    assert.ok(bytes >= last && bytes <= total)
    last = bytes
  }
  await hashBytes(content, { ...scheme, onProgress })
})

test('a file that changes while it is read is noticed', async () => {
  writeFileSync(file, sampleContent(3 * MIB, 10))
  const handle = await open(file)
  try {
    const before = await handle.stat({ bigint: true })
    const { size, mtimeNs } = before
    const later: [size: bigint, mtimeNs: bigint][][] = [
      [[size + 1n, mtimeNs]], // it is shorter when it is read
      [
        [size, mtimeNs],
        [size + 1n, mtimeNs],
      ],
      [
        [size, mtimeNs],
        [size, mtimeNs + 1n],
      ],
    ]
    for (const told of later) {
      const stat = () => {
        const [[bytes, time] = [size, mtimeNs]] = told.splice(0, 1)
        return Promise.resolve({ size: bytes, mtimeNs: time })
      }
      for (const scheme of [SCHEMES[0], SCHEMES[3]] as HashScheme[]) {
        const again = told.slice()
        const code = await codeOf(hashOpenFile({ fd: handle.fd, stat }, scheme))
        assert.is(code, 'ERR_PEERNET_CONTENT_CHANGED')
        told.push(...again)
      }
    }
  } finally {
    await handle.close()
  }
})

test('what is wrong with the arguments is said', async () => {
  const bytes = new Uint8Array(10)
  const wrong = [
    { version: 2, algorithm: 'sha256' },
    { version: 3, algorithm: 'sha256' },
    { version: 1, algorithm: 'md5' },
    { version: 2, algorithm: 'sha512', segmentBytes: 4095 },
    { version: 2, algorithm: 'sha512', segmentBytes: 131_073 },
  ]
  for (const options of wrong) {
    const run = async (): Promise<unknown> => hashBytes(bytes, options as HashScheme)
    assert.is(await codeOf(run()), 'ERR_PEERNET_INVALID_ARG')
  }
  const missing = hashFile(path.join(directory, 'none'), SCHEMES[0] as HashScheme)
  assert.is(await codeOf(missing), 'ENOENT')
})

test('several messages at once hash as one by one', () => {
  assert.is(contentSelfTest(), undefined)
})

test.run()
