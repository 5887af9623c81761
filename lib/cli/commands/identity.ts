import { writeFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { PeernetError } from '../../core/errors.js'
import { userKeyStore } from '../../daemon/local-service.js'
import { Delegation, PeerIdentity, type StoredIdentity } from '../../index.js'
import { safeText, type Output } from '../output.js'
import { passwordFor, readText, type PasswordFlags } from '../password.js'
import { runAction } from '../session.js'

const ROLES = ['member', 'inviting-member', 'admin'] as const

/** `peernet identity …` */
export function addIdentityCommands(program: Command): void {
  const identity = program
    .command('identity')
    .description('key pairs that secure names are made of')
  addCreate(identity)
  addListShow(identity)
  addExportImport(identity)
  addDelegate(identity)
}

function withPassword(command: Command): Command {
  return command.option('--password-file <path>', 'the password; - reads standard input')
}

function addCreate(identity: Command): void {
  const create = withPassword(
    identity
      .command('create')
      .argument('[name]', 'a name for people', '')
      .description('make a key pair and keep it (mode 0600, or encrypted)')
      .option('--encrypt', 'encrypt it with a password'),
  )
  create.action((friendlyName: string, flags: PasswordFlags & { encrypt?: boolean }) =>
    runAction(create, async (output) => {
      await checkNameIsFree(friendlyName)
      const made = await PeerIdentity.create({ friendlyName })
      const secret = flags.encrypt === true || flags.passwordFile !== undefined
      const password = secret ? await passwordFor('the new identity', flags) : undefined
      const stored = await userKeyStore().add(made, password)
      output.value(toJson(stored))
      output.line(`Made     ${output.paint('bold', safeText(friendlyName || made.authority))}`)
      output.line(`Names    ${made.authority}.<classifier>`)
      output.line(`Kept in  ${stored.file}${stored.encrypted ? ' (encrypted)' : ' (mode 0600)'}`)
    }),
  )
}

function addListShow(identity: Command): void {
  const list = identity.command('list').description('all identities of this user')
  list.action(() =>
    runAction(list, async (output) => {
      const store = userKeyStore()
      const rows = await store.list()
      output.value(rows.map(toJson))
      if (rows.length === 0) output.line(`No identity in ${store.directory}`)
      else printTable(output, rows)
    }),
  )

  const show = identity
    .command('show')
    .argument('<identity>', 'name or authority')
    .option('--public', 'print the public key, for whoever shall delegate to it')
    .description('one identity')
  withPassword(show)
  show.action((name: string, flags: PasswordFlags & { public?: boolean }) =>
    runAction(show, async (output) => {
      const store = userKeyStore()
      const row = await store.find(name)
      if (flags.public === true) {
        const opened = await store.load(
          name,
          row.encrypted ? await passwordFor(name, flags) : undefined,
        )
        const text = opened.publicText()
        output.value({ ...toJson(row), public: text })
        output.line(text.trimEnd())
        return
      }
      output.value(toJson(row))
      printTable(output, [row])
    }),
  )

  const remove = identity
    .command('delete')
    .argument('<identity>', 'name or authority')
    .requiredOption('--yes', 'really: names of a deleted identity can never be published again')
    .description('delete an identity for good')
  remove.action((name: string) =>
    runAction(remove, async (output) => {
      const removed = await userKeyStore().delete(name)
      output.value(toJson(removed))
      output.line(`Deleted ${removed.authority}`)
    }),
  )
}

function addExportImport(identity: Command): void {
  const exporting = withPassword(
    identity
      .command('export')
      .argument('<identity>', 'name or authority')
      .argument('[file]', 'where to write; standard output if absent')
      .option('--plain', 'do not encrypt the export')
      .description('write an identity to a file, encrypted with a password'),
  )
  exporting.action(
    (name: string, file: string | undefined, flags: PasswordFlags & { plain?: boolean }) =>
      runAction(exporting, async (output) => {
        const store = userKeyStore()
        const { encrypted } = await store.find(name)
        const password =
          flags.plain === true && !encrypted ? undefined : await passwordFor(name, flags)
        const opened = await store.load(name, encrypted ? password : undefined)
        const text = await opened.export(flags.plain === true ? undefined : password)
        if (file === undefined) {
          output.value({ authority: opened.authority, text })
          output.line(text.trimEnd())
          return
        }
        await writeNew(file, text)
        output.value({ authority: opened.authority, file })
        output.line(`Wrote ${file}`)
      }),
  )

  const importing = withPassword(
    identity
      .command('import')
      .argument('<file>', 'an export, or a delegation made for one of your identities')
      .description('keep an exported identity, or a delegation'),
  )
  importing.action((file: string, flags: PasswordFlags) =>
    runAction(importing, async (output) => {
      const text = await readText(file)
      const store = userKeyStore()
      const described = PeerIdentity.describe(text)
      if (described === undefined) {
        const { delegation, file: kept } = await store.addDelegation(Delegation.read(text))
        output.value({ delegation: kept })
        output.line(`Kept a delegation: names of ${delegation?.authority ?? ''}`)
        return
      }
      const password = described.encrypted ? await passwordFor(file, flags) : undefined
      const stored = await store.add(await PeerIdentity.import(text, password), password)
      output.value(toJson(stored))
      output.line(`Kept ${stored.authority} in ${stored.file}`)
    }),
  )
}

interface DelegateFlags extends PasswordFlags {
  readonly to: string
  readonly classifier?: string[]
  readonly role: string
  readonly days: string
}

function addDelegate(identity: Command): void {
  const collect = (value: string, list: string[] = []): string[] => [...list, value]
  const delegate = withPassword(
    identity
      .command('delegate')
      .argument('<identity>', 'whose names are delegated')
      .argument('[file]', 'where to write the delegation; standard output if absent')
      .requiredOption('--to <file>', 'public key of the delegate (`identity show --public`)')
      .option('--classifier <text>', 'what may be published (repeatable); default all', collect)
      .option('--role <role>', ROLES.join(', '), 'member')
      .option('--days <count>', 'valid for so many days', '365')
      .description('let somebody else publish names of this identity'),
  )
  delegate.action((name: string, file: string | undefined, flags: DelegateFlags) =>
    runAction(delegate, async (output) => {
      const role = ROLES.find((one) => one === flags.role)
      const days = Number(flags.days)
      if (role === undefined || !(days > 0)) {
        throw new PeernetError('ERR_PEERNET_INVALID_ARG', '--role or --days is not valid')
      }
      const store = userKeyStore()
      const { encrypted } = await store.find(name)
      const owner = await store.load(name, encrypted ? await passwordFor(name, flags) : undefined)
      const text = owner
        .delegate({
          to: PeerIdentity.readPublic(await readText(flags.to)),
          classifiers: flags.classifier ?? [],
          role,
          notAfter: new Date(Date.now() + days * 86_400_000),
        })
        .text()
      if (file === undefined) {
        output.value({ delegation: text })
        output.line(text.trimEnd())
        return
      }
      await writeNew(file, text)
      output.value({ file })
      output.line(`Wrote ${file}; its owner keeps it with \`peernet identity import\``)
    }),
  )
}

/** Two identities of one name could only be told apart by their authorities. */
async function checkNameIsFree(friendlyName: string): Promise<void> {
  const stored = friendlyName === '' ? [] : await userKeyStore().list()
  const taken = stored.find((one) => one.friendlyName === friendlyName)
  if (taken === undefined) return
  throw new PeernetError(
    'ERR_PEERNET_IDENTITY_EXISTS',
    `${taken.authority} is called ${JSON.stringify(friendlyName)} already: choose another name`,
  )
}

/** Never overwrites. */
async function writeNew(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text, { flag: 'wx', mode: 0o600 })
  } catch (error) {
    throw new PeernetError('ERR_PEERNET_SYSTEM', `cannot write ${file} (does it exist?)`, {
      cause: error,
    })
  }
}

function toJson(row: StoredIdentity): {
  authority: string
  friendlyName: string
  encrypted: boolean
  file: string
  problem?: string
} {
  const { authority, friendlyName, encrypted, file, problem } = row
  return { authority, friendlyName, encrypted, file, ...(problem === undefined ? {} : { problem }) }
}

function printTable(output: Output, rows: readonly StoredIdentity[]): void {
  output.table(
    ['NAME', 'AUTHORITY', 'KEY', 'PROBLEM'],
    rows.map((row) => [
      safeText(row.friendlyName),
      row.authority,
      row.encrypted ? 'encrypted' : 'mode 0600',
      row.problem ?? '',
    ]),
  )
}
