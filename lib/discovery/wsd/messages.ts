import type { SegmentAge } from '../../wire/segment-ages.js'

/** The messages of MS-PCCRD 2.2.2 over WS-Discovery of April 2005. */

/** Version of discovery: that of the content information of what is sought (DA-15). */
export type DiscoveryVersion = 1 | 2

export const NAMESPACE = {
  soap: 'http://www.w3.org/2003/05/soap-envelope',
  wsa: 'http://schemas.xmlsoap.org/ws/2004/08/addressing',
  wsd: 'http://schemas.xmlsoap.org/ws/2005/04/discovery',
  PeerDist: 'http://schemas.microsoft.com/p2p/2007/09/PeerDistributionDiscovery',
} as const

export const ACTION = {
  probe: `${NAMESPACE.wsd}/Probe`,
  probeMatches: `${NAMESPACE.wsd}/ProbeMatches`,
} as const

export const TO = {
  probe: 'urn:schemas-xmlsoap-org:ws:2005:04:discovery',
  probeMatches: `${NAMESPACE.wsa}/role/anonymous`,
} as const

/** 2.2.3.1: local names in the PeerDist namespace. */
export const TYPE = { 1: 'PeerDistData', 2: 'PeerDistDataV2' } as const

/** 2.2.2.1. */
export const MATCH_BY = {
  1: `${NAMESPACE.wsd}/strcmp0`,
  2: 'http://schemas.microsoft.com/p2p/2010/05/PeerDistV2MatchingRule',
} as const

/** 2.2.2.1: who has these segments? */
export interface Probe {
  readonly type: 'probe'
  readonly version: DiscoveryVersion
  /** `urn:uuid:…` */
  readonly messageId: string
  readonly segmentIds: readonly Uint8Array[]
  /** Version 1: the IDs as the sender spelled them, to be echoed (DA-10). */
  readonly spellings?: readonly string[]
}

/** Where a peer's retrieval server listens; an IPv6 host has no brackets. */
export interface PeerAddress {
  readonly host: string
  readonly port: number
}

/** What a peer has of a segment of version 2. */
export type SegmentState = 'none' | 'some' | 'complete'

/** 2.2.3: what one peer has. */
export type ProbeMatch = {
  /** `urn:uuid:…` of the service. */
  readonly endpoint: string
  readonly addresses: readonly PeerAddress[]
} & (
  | {
      readonly version: 1
      readonly segments: readonly {
        readonly id: Uint8Array
        /** To write: how the prober spelled the ID. */
        readonly spelling?: string
        readonly blockCount: number
      }[]
    }
  | {
      readonly version: 2
      /** By the place of the ID in the probe. As received there may be up to three more (DA-14). */
      readonly states: readonly SegmentState[]
      readonly ages: readonly SegmentAge[]
    }
)

/** 2.2.2.2. */
export interface ProbeMatches {
  readonly type: 'probe-matches'
  readonly messageId: string
  /** MessageID of the probe; version 1 can do without. */
  readonly relatesTo: string
  /** 2.2.3.6, 2.2.3.7: when the service started, and the number of the message since. */
  readonly instanceId: number
  readonly messageNumber: number
  readonly matches: readonly ProbeMatch[]
}

export type DiscoveryMessage = Probe | ProbeMatches
