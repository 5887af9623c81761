/**
 * `peernet/testing`: a deterministic simulator of PNRP clouds, for users' tests too. It runs the
 * shipping machines, codec and route cache under a virtual clock.
 * @packageDocumentation
 */
export { Simulation, type SimulationOptions, type SimulationStats } from './simulation.js'
export { SimNode } from './sim-node.js'
export type { SimNodeOptions, SimRegisterOptions, SimResolveOptions } from './sim-options.js'
export { SimRegistration, SimResolution } from './sim-results.js'
export type { SimCryptoKind, SimIdentity } from './sim-identity.js'
export type { CryptoTimes } from './sim-crypto.js'
export { DEFAULT_LINK, PERFECT_LINK, type LinkOptions } from './link-options.js'
export type { CutDirection } from './network-cuts.js'
export {
  DROP_REASONS,
  PacketNetwork,
  type DropReason,
  type NetworkCounts,
  type Packet,
  type PacketFilter,
} from './packet-network.js'
export { SimKernel, type Happening, type SimHost } from './kernel.js'
export { StreamNetwork, type StreamCounts, type StreamListener } from './stream-network.js'
export { SimStream, type StreamFailure, type StreamHandlers } from './sim-stream.js'
export {
  GraphWorld,
  type Acknowledged,
  type GraphWorldOptions,
  type Violation,
} from './graph-world.js'
export { SimGraphNode, type SimRecordSpec } from './sim-graph-node.js'
export { SimCommand, type MakeGraphMachine, type SimGraphNodeOptions } from './sim-graph-options.js'
export type { GraphSetup } from '../graph/make-graph.js'
export { SimGraphStore, type SimStoreOptions } from './sim-graph-store.js'
export {
  convergence,
  FloodTrace,
  hopsFrom,
  lostRecords,
  signatures,
  tables,
  topology,
  unexpired,
  type ConvergenceOptions,
  type ConvergenceReport,
  type LostRecord,
  type SignatureReport,
  type TableReport,
  type TopologyReport,
} from './graph-checkers.js'
export { DEFAULT_STREAMS, type StreamOptions } from './stream-options.js'
export { EventLog, type LogEntry, type LogKind } from './event-log.js'
export { endpointOfHost } from './host-addresses.js'
export {
  allQuestions,
  ask,
  deadEntries,
  idlePackets,
  leafSets,
  liveNames,
  sampledQuestions,
  shuffled,
  type Answers,
  type AskOptions,
  type DeadEntry,
  type LeafSetReport,
  type LiveName,
  type Question,
} from './checkers.js'
export { runSwarm, type SwarmReport, type SwarmRunOptions } from './swarm.js'
export { swarmOptions, type SwarmOptions } from './swarm-options.js'
// The codec, for those who test protocols: datagrams to plain objects and back.
export {
  decodeAuthorityBuffer,
  decodeCpa,
  decodeExtendedPayload,
  decodeMessage,
  encodeAuthorityBuffer,
  encodeCpa,
  encodeExtendedPayload,
  encodeMessage,
  Reassembler,
  splitAuthority,
  type Malformed,
} from '../wire/codec.js'
export { BatchDecoder, BatchEncoder, makeSpans, type Spans } from '../wire/batch.js'
export { ResolveCriteria } from '../wire/messages.js'
export type { Endpoint } from '../core/endpoint.js'
export type {
  AppEndpoint,
  AuthorityBuffer,
  CertifiedPeerAddress,
  ExtendedPayload,
  PnrpId,
  PnrpMessage,
  RouteEntry,
} from '../wire/messages.js'
export type { CloudEvent, CloudScope, CloudState, ResolvedPeer } from '../pnrp/interface.js'
