import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { Command } from 'commander'
import type { HashAlgorithm, HashScheme } from '../../content/algorithms.js'
import type { ContentInfo, ContentRange, ContentSegment } from '../../content/content-info.js'
import { parseContentInfo } from '../../content/read-info.js'
import { writeContentInfo } from '../../content/write-info.js'
import { fromHex, toHex } from '../../core/bytes.js'
import { PeernetError } from '../../core/errors.js'
import { hashFile } from '../../io/hash-content.js'
import { nameLater } from '../../runtime/content/cloud-peers.js'
import { publishContent } from '../../runtime/content/publish.js'
import { writeFileAtomic } from '../../storage/atomic-file.js'
import { statePaths } from '../../storage/paths.js'
import { ServerSecretFile } from '../../storage/server-secret.js'
import type { Output } from '../output.js'
import { runAction } from '../session.js'
import { addPeerContentCommands, userCache } from './content-peers.js'

interface SchemeFlags {
  readonly v: string
  readonly hash?: string
  readonly serverSecret?: string
}

interface PublishFlags extends SchemeFlags {
  readonly output?: string
}

interface InfoFlags extends SchemeFlags {
  readonly range?: string
  readonly parse?: string
}

/** `peernet content …` */
export function addContentCommands(program: Command): void {
  const content = program
    .command('content')
    .description('content that peers serve each other in verified blocks (BranchCache)')
  addInfo(content)
  addPublish(content)
  addPeerContentCommands(content, userServerSecret)
}

/** The server secret of this user, made when first needed. */
export function userServerSecret(): ServerSecretFile {
  return new ServerSecretFile(join(statePaths().data, 'content', 'server-secret'))
}

function addInfo(content: Command): void {
  const info = content
    .command('info')
    .argument('[file]', 'what to describe')
    .option('--v <version>', 'version of content information, 1 or 2', '1')
    .option('--hash <algorithm>', 'sha256, sha384 or sha512 (version 2: sha512 only)')
    .option('--server-secret <hex>', "the server's secret; default: this user's own")
    .option('--range <a-b>', 'describe only the bytes from A to B, B included')
    .option('--parse <hex>', 'read content information instead; - takes it from standard input')
    .description('describe a file as a server does, or show what content information says')
  info.action((file: string | undefined, flags: InfoFlags) =>
    runAction(info, async (output, signal) => {
      if ((file === undefined) === (flags.parse === undefined)) {
        throw invalid('give a file or --parse, one of them')
      }
      const bytes =
        file === undefined ? await readHex(flags.parse ?? '') : await describe(file, flags, signal)
      const parsed = parseContentInfo(bytes)
      if (!parsed.ok) {
        throw new PeernetError(
          'ERR_PEERNET_MALFORMED',
          `no content information: ${parsed.code} at byte ${parsed.offset}`,
        )
      }
      print(output, bytes, parsed.info)
    }),
  )
}

function addPublish(content: Command): void {
  const publish = content
    .command('publish')
    .argument('<file>', 'what peers are to get from here')
    .option('--v <version>', 'version of content information, 1 or 2', '1')
    .option('--hash <algorithm>', 'sha256, sha384 or sha512 (version 2: sha512 only)')
    .option('--server-secret <hex>', "the origin's secret; default: this user's own")
    .option('--output <file>', 'write the content information to this file')
    .description("put a file into this user's cache as if it had been fetched")
  publish.action((file: string, flags: PublishFlags) =>
    runAction(publish, async (output, signal) => {
      const cache = userCache()
      try {
        const secret = await secretOf(flags)
        const options = { ...schemeOf(flags), secret, cache, signal }
        const { contentInformation, info, blocks } = await publishContent(file, options)
        if (flags.output !== undefined) await writeInfo(flags.output, contentInformation)
        const segmentIds = info.segments.map(({ id }) => id)
        await nameLater(cache, segmentIds)
        const ids = segmentIds.map(toHex)
        output.value({ file, blocks, bytes: info.range.length, segments: ids })
        output.line(
          `${blocks} blocks in ${ids.length} segments; \`content serve\` gives them to peers`,
        )
      } finally {
        await cache.close()
      }
    }),
  )
}

/** For its owner's eyes: whoever has it can read the content. */
async function writeInfo(path: string, bytes: Uint8Array): Promise<void> {
  try {
    await writeFileAtomic(path, bytes)
  } catch (cause) {
    throw new PeernetError('ERR_PEERNET_SYSTEM', `cannot write ${path}`, { cause })
  }
}

function invalid(message: string): PeernetError {
  return new PeernetError('ERR_PEERNET_INVALID_ARG', message)
}

async function describe(file: string, flags: InfoFlags, signal: AbortSignal): Promise<Uint8Array> {
  const scheme = schemeOf(flags)
  const secret = await secretOf(flags)
  let hashed
  try {
    hashed = await hashFile(file, { ...scheme, signal })
  } catch (error) {
    if (error instanceof PeernetError) throw error
    throw new PeernetError('ERR_PEERNET_SYSTEM', `cannot read ${file}`, { cause: error })
  }
  return writeContentInfo(hashed, secret, rangeOf(flags.range, hashed.length))
}

function schemeOf({ v, hash }: SchemeFlags): HashScheme {
  if (v !== '1' && v !== '2') throw invalid(`no version of content information: ${v}`)
  const version = v === '1' ? 1 : 2
  const algorithm = hash ?? (version === 1 ? 'sha256' : 'sha512')
  return { version, algorithm: algorithm as HashAlgorithm }
}

async function secretOf({ serverSecret }: SchemeFlags): Promise<Uint8Array> {
  if (serverSecret === undefined) return userServerSecret().load()
  const secret = fromHex(serverSecret)
  if (secret === undefined || secret.length === 0) {
    throw invalid('--server-secret wants hex digits, two a byte')
  }
  return secret
}

/** As in HTTP: `A-B` and `A-`, first and last byte; what lies behind the end is left out. */
function rangeOf(range: string | undefined, length: number): ContentRange {
  if (range === undefined) return { start: 0, length }
  const match = /^(\d{1,15})-(\d{0,15})$/.exec(range)
  const start = Number(match?.[1])
  const last = match?.[2] === '' ? length - 1 : Math.min(Number(match?.[2]), length - 1)
  if (match === null || start > last) {
    throw invalid(`--range wants A-B, inside the ${length} bytes of the file`)
  }
  return { start, length: last - start + 1 }
}

async function readHex(given: string): Promise<Uint8Array> {
  const hex = given === '-' ? await text(process.stdin) : given
  const bytes = fromHex(hex.replaceAll(/\s/g, ''))
  if (bytes === undefined) throw invalid('--parse wants hex digits, two a byte')
  return bytes
}

function segmentJson(segment: ContentSegment) {
  const { offset, length, hashOfData, secret, id, scheme, listedBlocks } = segment
  const blocks = Array.from({ length: scheme.version === 1 ? listedBlocks : 0 }, (_, block) =>
    toHex(segment.blockHash(block) as Uint8Array),
  )
  return {
    offset,
    length,
    hashOfData: toHex(hashOfData),
    secret: toHex(secret),
    id: toHex(id),
    blocks,
  }
}

function print(output: Output, bytes: Uint8Array, info: ContentInfo): void {
  output.value({
    contentInformation: toHex(bytes),
    segments: info.segments.map(segmentJson),
  })
  const { version, algorithm, range, segments } = info
  output.line(`Version  ${version}, ${version === 2 ? 'sha512 cut to 32 bytes' : algorithm}`)
  output.line(`Size     ${bytes.length} bytes`)
  output.line(`Covers   bytes ${range.start} to ${range.start + range.length - 1}`)
  output.line()
  output.table(
    ['OFFSET', 'LENGTH', 'BLOCKS', 'SEGMENT ID'],
    segments.map((segment) => [
      String(segment.offset),
      String(segment.length),
      version === 2 ? '-' : `${segment.listedBlocks} of ${segment.blockCount}`,
      toHex(segment.id),
    ]),
  )
}
