export { nativeVersion } from './native/addon.js'
export { PeernetError, type ErrorCode, type PeernetErrorOptions } from './core/errors.js'
export { openCloud } from './runtime/open-cloud.js'
export type { OpenCloudOptions } from './runtime/open-options.js'
export {
  Cloud,
  type CacheEntryInfo,
  type CloudStateInfo,
  type CloudStatistics,
  type Criteria,
  type NameLike,
  type ResolveOptions,
} from './runtime/cloud.js'
export {
  Registration,
  type AutoEndpoint,
  type RegisterOptions,
  type RegistrationStatus,
} from './runtime/registration.js'
export {
  Resolution,
  type ResolutionEvent,
  type ResolutionStatus,
  type ResolutionSummary,
  type ResolvedRecord,
  type ServiceEndpoint,
} from './runtime/resolution.js'
export { createLookup, type CreateLookupOptions, type LookupFunction } from './runtime/lookup.js'
export type { CloudEvent, CloudScope, CloudState, CpaRefusal } from './pnrp/interface.js'
export { PeerName } from './security/peer-name.js'
export { PeerIdentity, type IdentityInfo } from './security/peer-identity.js'
export { Delegation, type DelegateOptions } from './security/delegation.js'
export { DelegatedIdentity } from './security/delegated-identity.js'
export { KeyStore, type StoredDelegation, type StoredIdentity } from './security/key-store.js'
export {
  hostNameToPeerName,
  isPeerHostName,
  peerNameToHostName,
  type HostNameOptions,
} from './security/host-name.js'
export { createGraph, deleteGraph, importGraph, openGraph } from './runtime/open-graph.js'
export type { CreateGraphOptions, OpenGraphOptions } from './runtime/graph-options.js'
export type { ConnectGraphOptions } from './runtime/graph-engine.js'
export { Graph, type GraphStatistics, type NeighborInfo } from './runtime/graph.js'
export {
  PublishedRecord,
  type AttributesInput,
  type AttributeValue,
  type PublishOptions,
  type UpdateOptions,
} from './runtime/graph-records.js'
export type {
  ConnectionEvent,
  ConnectionInfo,
  GraphEvent,
  GraphEventType,
  GraphNodeInfo,
  GraphStatus,
} from './runtime/graph-events.js'
export type { GraphTopology, TopologyNode } from './runtime/graph-topology.js'
export type { WatchFilter } from './runtime/graph-watchers.js'
export type { EventStream } from './runtime/event-stream.js'
export { DirectConnection, type DirectMessage } from './runtime/direct-connection.js'
export type {
  ConnectionEnd,
  GraphProperties,
  GraphScope,
  PropertyChanges,
  RecordChange,
} from './graph/interface.js'
export type { GraphDialect } from './graph/dialect.js'
export type {
  GraphSecurityProvider,
  RecordVerdict,
  SecuritySession,
  SessionOutput,
} from './graph/security-provider.js'
export type { FilterCondition, FilterValue, RecordFilter } from './graph/search/filter.js'
export type { AttributeType, RecordAttribute } from './wire/graph/attributes.js'
export type { ContentVersion, HashAlgorithm, HashScheme } from './content/algorithms.js'
export { ContentHasher, type SegmentCutting } from './content/content-hasher.js'
export { ContentSegment, type ContentInfo, type ContentRange } from './content/content-info.js'
export { HashedContent, type HashedSegments } from './content/hashed-content.js'
export { parseContentInfo, type ParsedContentInfo } from './content/read-info.js'
export { exportServerSecret, importServerSecret } from './content/secret-file.js'
export { writeContentInfo } from './content/write-info.js'
export { hashBytes, hashFile, hashOpenFile, type HashOptions } from './io/hash-content.js'
export { ServerSecretFile } from './storage/server-secret.js'
export { decodeRequest, decodeResponse } from './content/decode-retrieval.js'
export { encodeRetrieval, encodeUnfilledBlock } from './content/encode-retrieval.js'
export type {
  BlockMessage,
  Cipher,
  RetrievalMessage,
  RetrievalRequest,
  RetrievalResponse,
} from './content/retrieval.js'
export { opening, sealing } from './content/blocks.js'
export {
  decodeOffer,
  decodeOfferAnswer,
  encodeOffer,
  encodeOfferAnswer,
  type Offer,
} from './content/offers.js'
export { HostedCacheClient, offeredInfo, type OfferTransmit } from './content/hosted-client.js'
export {
  HostedCacheServer,
  type HostedEffect,
  type HostedSegment,
  type HostedStore,
} from './content/hosted-server.js'
export type { DiscoveryMessage, Probe, ProbeMatches } from './discovery/wsd/messages.js'
export { decodeDiscovery } from './discovery/wsd/read.js'
export { encodeDiscovery } from './discovery/wsd/write.js'
export {
  PeerDiscovery,
  type AnnounceOptions,
  type AvailableSegment,
  type AvailableSegments,
  type FindOptions,
  type FoundPeer,
  type FoundSegment,
  type PeerDiscoveryOptions,
  type SoughtSegment,
} from './runtime/peer-discovery.js'
export { BlockStore } from './storage/block-store.js'
export type {
  BlockStoreOptions,
  BlockStoreStatistics,
  HeldSegment,
  SegmentChange,
} from './storage/stored-blocks.js'
export { runOnPool } from './io/block-runner.js'
export {
  RetrievalServer,
  type RetrievalServerOptions,
  type RetrievalServerStatistics,
} from './runtime/content/retrieval-server.js'
export {
  HostedCache,
  type HostedCacheOptions,
  type HostedCacheStatistics,
  type KnownTag,
  type TakenOffer,
} from './runtime/content/hosted-cache.js'
export { HostedOffers, type HostedCacheAddress } from './runtime/content/hosted-offers.js'
export {
  ReplayStore,
  type ReplayStoreOptions,
  type ReplayStoreStatistics,
} from './storage/replay-store.js'
export { RetrievalClient, type PeerAnswer } from './runtime/content/retrieval-client.js'
export {
  fileTag,
  peerdist,
  type PeerDist,
  type PeerDistOptions,
} from './runtime/content/peerdist.js'
export {
  fetchContent,
  FetchedContent,
  type FetchContentOptions,
  type Shares,
} from './runtime/content/fetch-content.js'
export type { BlockTrace } from './runtime/content/download.js'
export type {
  FindPeers,
  PeerOffer,
  PeerSearch,
  WantedSegment,
} from './runtime/content/download-peers.js'
export {
  ContentPeer,
  createContentPeer,
  type ContentPeerOptions,
  type PeerFetchOptions,
} from './runtime/content/content-peer.js'
export { CloudPeers, segmentName, type CloudPeersOptions } from './runtime/content/cloud-peers.js'
export { peersOnLink } from './runtime/content/peer-finder.js'
export {
  publishContent,
  type PublishContentOptions,
  type PublishedContent,
} from './runtime/content/publish.js'
export { SegmentIndex } from './runtime/content/segment-index.js'
