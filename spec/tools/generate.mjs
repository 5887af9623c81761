// Generates the wire constants of both languages from the tables in spec/fields, and spec/limits.md
// from the limits in the code.
//
//   npm run generate              writes what generate() below lists
//   npm run generate -- --check   fails when one of them is not what would be written
import fs from 'node:fs'
import { fileURLToPath } from 'node:url'
import { limitsPage } from './limits.mjs'
import { readTable } from './tsv.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
/** One table of numbers for each protocol; group → title, TypeScript object. */
const TABLES = [
  {
    table: 'spec/fields/pnrp.tsv',
    document: 'MS-PNRP',
    c: 'native/core/pnrp_const.h',
    cPrefix: 'PN',
    typescript: 'lib/wire/constants.ts',
    groups: {
      field: ['FieldIDs of message elements', 'FieldId'],
      message: ['Message types', 'MessageType'],
      value: ['Fixed values', 'WireValue'],
      solicit_type: ['Solicit Type', 'SolicitType'],
      flood_flag: ['Flags of FLOOD', 'FloodFlag'],
      inquire_flag: ['Flags of INQUIRE', 'InquireFlag'],
      authority_flag: ['Flags of AUTHORITY_BUFFER', 'AuthorityFlag'],
      ack_flag: ['Flags of ACK', 'AckFlag'],
      lookup_flag: ['Flags of LOOKUP', 'LookupFlag'],
      criteria: ['Resolve Criteria', 'ResolveCriteria'],
      reason: ['Resolve Reason Code', 'ResolveReason'],
      cpa_flag: ['Flags of an Encoded CPA', 'CpaFlag'],
      payload_type: ['Payload types', 'PayloadType'],
      string_type: ['String Type of an EXTENDED_PAYLOAD', 'StringType'],
      length: ['Fixed lengths in bytes', 'WireLength'],
      offset: ['Offsets in bytes', 'WireOffset'],
      limit: ['Limits', 'WireLimit'],
    },
  },
  {
    table: 'spec/fields/graph.tsv',
    document: 'MS-PPGRH',
    c: 'native/core/graph_const.h',
    cPrefix: 'PN_GRAPH',
    typescript: 'lib/wire/graph/constants.ts',
    groups: {
      message: ['Message types', 'GraphMessageType'],
      value: ['Fixed values', 'GraphValue'],
      connection: ['Connection Type of AUTH_INFO', 'GraphConnection'],
      connect_flag: ['Flags of CONNECT', 'GraphConnectFlag'],
      refuse: ['Error Code of REFUSE', 'GraphRefuse'],
      disconnect: ['Reason of DISCONNECT', 'GraphDisconnect'],
      record_flag: ['Flags of a PEER_RECORD', 'GraphRecordFlag'],
      sync_flag: ['Flags of SYNC_END', 'GraphSyncFlag'],
      ack_flag: ['Flags of an acknowledgement', 'GraphAckFlag'],
      info_flag: ['Flags of Graph Info', 'GraphInfoFlag'],
      scope: ['Scope of a graph', 'GraphScopeValue'],
      length: ['Fixed lengths in bytes', 'GraphLength'],
      fixed: ['Messages without their variable parts, in bytes', 'GraphFixed'],
      bound: ['What the formats allow', 'GraphBound'],
    },
  },
]

const banner = (table) =>
  `Generated from ${table} by spec/tools/generate.mjs (npm run generate). Do not edit.`

function readGroups({ table, groups: known }) {
  const groups = new Map(Object.keys(known).map((group) => [group, []]))
  for (const row of readTable(`${root}${table}`)) {
    const rows = groups.get(row.group)
    if (rows === undefined) throw new Error(`${table}: unknown group ${row.group}`)
    if (!/^[A-Z][A-Z0-9_]*$/.test(row.name)) throw new Error(`${table}: bad name ${row.name}`)
    if (!Number.isSafeInteger(Number(row.value)))
      throw new Error(`${table}: ${row.name}: no number`)
    if (rows.some((other) => other.name === row.name)) {
      throw new Error(`${table}: ${row.group} ${row.name} twice`)
    }
    rows.push(row)
  }
  return groups
}

function cHeader({ table, document, c, cPrefix, groups: titles }, groups) {
  const guard = `PN_${c
    .slice(c.lastIndexOf('/') + 1)
    .toUpperCase()
    .replace('.', '_')}`
  const lines = [`/* ${banner(table)} */`, `#ifndef ${guard}`, `#define ${guard}`]
  for (const [group, rows] of groups) {
    lines.push('', `/* ${titles[group][0]} */`)
    for (const { name, value, section, meaning } of rows) {
      lines.push(`/* ${document} ${section}: ${meaning} */`)
      lines.push(`#define ${cPrefix}_${group.toUpperCase()}_${name} ${value}u`)
    }
  }
  return `${[...lines, '', '#endif'].join('\n')}\n`
}

function typescriptModule({ table, document, groups: titles }, groups) {
  const lines = [`// ${banner(table)}`]
  for (const [group, rows] of groups) {
    const [title, object] = titles[group]
    lines.push('', `/** ${title}. */`, `export const ${object} = {`)
    for (const { name, value, section, meaning } of rows) {
      const literal = value.startsWith('0x') ? value.toLowerCase() : value
      lines.push(`  /** ${document} ${section}: ${meaning}. */`, `  ${name}: ${literal},`)
    }
    lines.push('} as const', `export type ${object} = (typeof ${object})[keyof typeof ${object}]`)
  }
  return `${lines.join('\n')}\n`
}

/** Path → content of every generated file. */
export function generate() {
  const files = TABLES.flatMap((table) => {
    const groups = readGroups(table)
    return [
      [table.c, cHeader(table, groups)],
      [table.typescript, typescriptModule(table, groups)],
    ]
  })
  return new Map([...files, ['spec/limits.md', limitsPage(root)]])
}

/** Paths of generated files that differ from what the table says now. */
export function staleFiles() {
  const stale = ([file, text]) =>
    !fs.existsSync(`${root}${file}`) || fs.readFileSync(`${root}${file}`, 'utf8') !== text
  return [...generate()].filter(stale).map(([file]) => file)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv.includes('--check')) {
    const stale = staleFiles()
    for (const file of stale) console.error(`${file} is stale: run npm run generate`)
    process.exitCode = stale.length > 0 ? 1 : 0
  } else {
    for (const [file, text] of generate()) fs.writeFileSync(`${root}${file}`, text)
  }
}
