// The layouts of MS-PNRP 2.2 as tables, written from the specification's field lists and the
// decisions N-nn, not from the codec. pnrp-oracle.ts interprets them.

/** One fixed field of an element: name, offset in the content, type; unnamed ones are ignored. */
export type FieldRow = readonly [name: string, offset: number, type: FieldType]
export type FieldType = 'u8' | 'u16' | 'u32' | 'id' | 'nonce' | 'sha1'

export interface ElementRow {
  readonly name: string
  readonly field: number
  /** Length on the wire, or what the content is. */
  readonly shape: number | 'ids' | 'endpoints' | 'classifier' | 'route' | 'opaque'
  readonly fields?: readonly FieldRow[]
  readonly optional?: boolean
  /** A padding field follows, whose value is ignored even at the very end. */
  readonly padded?: boolean
}

const acked: ElementRow = {
  ...{ name: 'acked', field: 0x0018, shape: 8 },
  fields: [['ackedMessageId', 0, 'u32']],
}
const validate: ElementRow = {
  ...{ name: 'validate', field: 0x0039, shape: 36 },
  fields: [['validatePnrpId', 0, 'id']],
}
const nonce: ElementRow = {
  ...{ name: 'nonce', field: 0x0093, shape: 20 },
  fields: [['nonce', 0, 'nonce']],
}
const hashedNonce: ElementRow = {
  ...{ name: 'hashedNonce', field: 0x0092, shape: 24 },
  fields: [['hashedNonce', 0, 'sha1']],
}
const route: ElementRow = {
  ...{ name: 'routeEntry', field: 0x009a, shape: 'route', optional: true, padded: true },
}
const ids: ElementRow = { name: 'pnrpIds', field: 0x0060, shape: 'ids' }

export interface MessageRow {
  readonly type: string
  readonly elements: readonly ElementRow[]
  /** Named bits of the field `flags`. */
  readonly bits?: Readonly<Record<string, number>>
}

export const MESSAGES: ReadonlyMap<number, MessageRow> = new Map<number, MessageRow>([
  [
    0x01,
    {
      type: 'SOLICIT',
      elements: [
        {
          ...{ name: 'controls', field: 0x0044, shape: 6, optional: true, padded: true },
          fields: [['solicitType', 1, 'u8']],
        },
        route,
        hashedNonce,
      ],
    },
  ],
  [0x02, { type: 'ADVERTISE', elements: [acked, ids, hashedNonce] }],
  [0x03, { type: 'REQUEST', elements: [nonce, ids] }],
  [
    0x04,
    {
      type: 'FLOOD',
      elements: [
        {
          ...{ name: 'controls', field: 0x0043, shape: 7, padded: true },
          fields: [['flags', 0, 'u16']],
        },
        validate,
        { name: 'revokeCpa', field: 0x009c, shape: 'opaque', optional: true, padded: true },
        route,
        { name: 'floodedList', field: 0x009e, shape: 'endpoints' },
      ],
      bits: { doNotAck: 0x0001 },
    },
  ],
  [
    0x07,
    {
      type: 'INQUIRE',
      elements: [
        {
          ...{ name: 'flags', field: 0x0040, shape: 6, padded: true },
          fields: [['flags', 0, 'u16']],
        },
        validate,
        { ...nonce, optional: true },
      ],
      bits: { wantCpa: 0x0010, wantExtendedPayload: 0x0008, wantCertificateChain: 0x0004 },
    },
  ],
  [
    0x08,
    {
      type: 'AUTHORITY',
      elements: [
        acked,
        {
          ...{ name: 'split', field: 0x0098, shape: 8 },
          fields: [
            ['size', 0, 'u16'],
            ['offset', 2, 'u16'],
          ],
        },
      ],
    },
  ],
  [
    0x09,
    {
      type: 'ACK',
      elements: [
        acked,
        {
          ...{ name: 'flags', field: 0x0040, shape: 6, optional: true },
          fields: [['flags', 0, 'u16']],
        },
      ],
      bits: { notFound: 0x0001 },
    },
  ],
  [
    0x0b,
    {
      type: 'LOOKUP',
      elements: [
        {
          ...{ name: 'controls', field: 0x0045, shape: 12 },
          fields: [
            ['flags', 0, 'u16'],
            ['precision', 2, 'u16'],
            ['resolveCriteria', 4, 'u8'],
            ['resolveReasonCode', 5, 'u8'],
          ],
        },
        {
          ...{ name: 'target', field: 0x0038, shape: 36 },
          fields: [['targetPnrpId', 0, 'id']],
        },
        validate,
        route,
        { name: 'flaggedPath', field: 0x009e, shape: 'endpoints' },
      ],
      bits: { acceptNotCloser: 0x0002 },
    },
  ],
])

export const AUTHORITY_BUFFER: MessageRow = {
  type: 'AUTHORITY_BUFFER',
  elements: [
    { name: 'flags', field: 0x0040, shape: 6, padded: true, fields: [['flags', 0, 'u16']] },
    { name: 'certificateChain', field: 0x0080, shape: 'opaque', optional: true, padded: true },
    { name: 'classifier', field: 0x0085, shape: 'classifier', optional: true, padded: true },
    { name: 'extendedPayload', field: 0x005a, shape: 'opaque', optional: true, padded: true },
    route,
    { name: 'cpa', field: 0x009b, shape: 'opaque', optional: true },
  ],
  bits: { leafSet: 0x0200, busy: 0x0008, notFound: 0x0001 },
}

/** Arrays: element type, entry length, fewest and most entries (N-22). */
export const ARRAYS = {
  ids: { type: 0x0030, width: 32, minimum: 0, maximum: 2047 },
  endpoints: { type: 0x009d, width: 18, minimum: 0, maximum: 22 },
  classifier: { type: 0x0084, width: 2, minimum: 0, maximum: 149 },
} as const
