/* Generated from spec/fields/graph.tsv by spec/tools/generate.mjs (npm run generate). Do not edit. */
#ifndef PN_GRAPH_CONST_H
#define PN_GRAPH_CONST_H

/* Message types */
/* MS-PPGRH 2.2.2.1: first message of an initiator */
#define PN_GRAPH_MESSAGE_AUTH_INFO 0x01u
/* MS-PPGRH 2.2.2.2: asks for a link, or tells new addresses */
#define PN_GRAPH_MESSAGE_CONNECT 0x02u
/* MS-PPGRH 2.2.2.3: accepts a CONNECT */
#define PN_GRAPH_MESSAGE_WELCOME 0x03u
/* MS-PPGRH 2.2.2.4: refuses a CONNECT */
#define PN_GRAPH_MESSAGE_REFUSE 0x04u
/* MS-PPGRH 2.2.2.5: ends a link */
#define PN_GRAPH_MESSAGE_DISCONNECT 0x05u
/* MS-PPGRH 2.2.2.6: asks for all records */
#define PN_GRAPH_MESSAGE_SOLICIT_NEW 0x06u
/* MS-PPGRH 2.2.2.7: asks for records modified since a time */
#define PN_GRAPH_MESSAGE_SOLICIT_TIME 0x07u
/* MS-PPGRH 2.2.2.8: offers hashes of record ranges */
#define PN_GRAPH_MESSAGE_SOLICIT_HASH 0x08u
/* MS-PPGRH 2.2.2.9: answers SOLICIT_HASH with what differs */
#define PN_GRAPH_MESSAGE_ADVERTISE 0x09u
/* MS-PPGRH 2.2.2.10: asks for records of an ADVERTISE */
#define PN_GRAPH_MESSAGE_REQUEST 0x0Au
/* MS-PPGRH 2.2.2.11: carries one record */
#define PN_GRAPH_MESSAGE_FLOOD 0x0Bu
/* MS-PPGRH 2.2.2.12: ends the answer to a SOLICIT */
#define PN_GRAPH_MESSAGE_SYNC_END 0x0Cu
/* MS-PPGRH 2.2.2.13: carries data of an application */
#define PN_GRAPH_MESSAGE_PT2PT 0x0Du
/* MS-PPGRH 2.2.2.14: acknowledges FLOODs */
#define PN_GRAPH_MESSAGE_ACK 0x0Eu

/* Fixed values */
/* MS-PPGRH 2.2.1.2: version of the message header */
#define PN_GRAPH_VALUE_VERSION 0x10u
/* MS-PPGRH 2.2.1.9: Protocol Version of a record */
#define PN_GRAPH_VALUE_RECORD_VERSION 0x0100u
/* MS-PPGRH 2.2.1.3: Protocol Family of IPv6 */
#define PN_GRAPH_VALUE_FAMILY 0x0017u
/* MS-PPGRH 2.2.1.5: Size of a PEER_ADDRESS */
#define PN_GRAPH_VALUE_ADDRESS_SIZE 0x20u

/* Connection Type of AUTH_INFO */
/* MS-PPGRH 2.2.2.1: for a neighbor connection */
#define PN_GRAPH_CONNECTION_NEIGHBOR 0x01u
/* MS-PPGRH 2.2.2.1: for a direct connection */
#define PN_GRAPH_CONNECTION_DIRECT 0x02u

/* Flags of CONNECT */
/* MS-PPGRH 2.2.2.2: update: the sender listens now */
#define PN_GRAPH_CONNECT_FLAG_U 0x08u
/* MS-PPGRH 2.2.2.2: direct connection */
#define PN_GRAPH_CONNECT_FLAG_D 0x04u
/* MS-PPGRH 2.2.2.2: the neighbor list is wanted */
#define PN_GRAPH_CONNECT_FLAG_N 0x01u

/* Error Code of REFUSE */
/* MS-PPGRH 2.2.2.4: at the maximum of neighbors */
#define PN_GRAPH_REFUSE_BUSY 0x01u
/* MS-PPGRH 2.2.2.4: a CONNECT on a connected link */
#define PN_GRAPH_REFUSE_ALREADY_CONNECTED 0x02u
/* MS-PPGRH 2.2.2.4: there is another connection with the node */
#define PN_GRAPH_REFUSE_DUPLICATE_CONNECTION 0x03u
/* MS-PPGRH 2.2.2.4: the application wants no direct connections */
#define PN_GRAPH_REFUSE_DIRECT_CONNECTION_DISALLOWED 0x04u

/* Reason of DISCONNECT */
/* MS-PPGRH 2.2.2.5: the node leaves the graph */
#define PN_GRAPH_DISCONNECT_LEAVING 0x01u
/* MS-PPGRH 2.2.2.5: the link is the least useful one */
#define PN_GRAPH_DISCONNECT_LEAST_USEFUL 0x02u
/* MS-PPGRH 2.2.2.5: the application wanted it */
#define PN_GRAPH_DISCONNECT_APP_DISCONNECT 0x03u

/* Flags of a PEER_RECORD */
/* MS-PPGRH 2.2.1.9: deleted */
#define PN_GRAPH_RECORD_FLAG_D 0x02u

/* Flags of SYNC_END */
/* MS-PPGRH 2.2.2.12: final */
#define PN_GRAPH_SYNC_FLAG_F 0x01u

/* Flags of an acknowledgement */
/* MS-PPGRH 2.2.2.14: useful */
#define PN_GRAPH_ACK_FLAG_U 0x01u

/* Flags of Graph Info */
/* MS-PPGRH 2.2.3.1: deferred expiration */
#define PN_GRAPH_INFO_FLAG_D 0x02u

/* Scope of a graph */
/* MS-PPGRH 2.2.3.1: the Internet */
#define PN_GRAPH_SCOPE_GLOBAL 0x01u
/* MS-PPGRH 2.2.3.1: a site */
#define PN_GRAPH_SCOPE_SITE_LOCAL 0x02u
/* MS-PPGRH 2.2.3.1: a local subnet */
#define PN_GRAPH_SCOPE_LINK_LOCAL 0x03u

/* Fixed lengths in bytes */
/* MS-PPGRH 2.2.1.2: PEER_MESSAGE */
#define PN_GRAPH_LENGTH_HEADER 8u
/* MS-PPGRH 2.2: a GUID */
#define PN_GRAPH_LENGTH_GUID 16u
/* MS-PPGRH 2.2.1.7: a hash */
#define PN_GRAPH_LENGTH_MD5 16u
/* MS-PPGRH 2.2.1.3: PEER_IN6_ADDRESS */
#define PN_GRAPH_LENGTH_IN6_ADDRESS 20u
/* MS-PPGRH 2.2.1.5: PEER_ADDRESS */
#define PN_GRAPH_LENGTH_ADDRESS 32u
/* MS-PPGRH 2.2.1.6: RECORD_ABSTRACT */
#define PN_GRAPH_LENGTH_ABSTRACT 20u
/* MS-PPGRH 2.2.1.7: HASH_INFO_ENTRY */
#define PN_GRAPH_LENGTH_HASH_INFO 40u
/* MS-PPGRH 2.2.1.8: HASH_ENTRY_BOUNDARY */
#define PN_GRAPH_LENGTH_BOUNDARY 52u
/* MS-PPGRH 2.2.2.14: record ID and flags */
#define PN_GRAPH_LENGTH_ACK 20u
/* MS-PPGRH 2.2.1.9: a PEER_RECORD without what is variable */
#define PN_GRAPH_LENGTH_RECORD 90u
/* MS-PPGRH 2.2.3.1: Graph Info without its strings */
#define PN_GRAPH_LENGTH_INFO 40u

/* Messages without their variable parts, in bytes */
/* MS-PPGRH 2.2.2.1: part before the strings */
#define PN_GRAPH_FIXED_AUTH_INFO 16u
/* MS-PPGRH 2.2.2.2: part before the addresses */
#define PN_GRAPH_FIXED_CONNECT 24u
/* MS-PPGRH 2.2.2.3: part before the addresses */
#define PN_GRAPH_FIXED_WELCOME 32u
/* MS-PPGRH 2.2.2.4: part before the addresses */
#define PN_GRAPH_FIXED_REFUSE 12u
/* MS-PPGRH 2.2.2.5: part before the addresses */
#define PN_GRAPH_FIXED_DISCONNECT 12u
/* MS-PPGRH 2.2.2.6: part before the record types */
#define PN_GRAPH_FIXED_SOLICIT_NEW 12u
/* MS-PPGRH 2.2.2.7: part before the record types */
#define PN_GRAPH_FIXED_SOLICIT_TIME 20u
/* MS-PPGRH 2.2.2.8: part before the record types */
#define PN_GRAPH_FIXED_SOLICIT_HASH 20u
/* MS-PPGRH 2.2.2.9: part before the ranges */
#define PN_GRAPH_FIXED_ADVERTISE 24u
/* MS-PPGRH 2.2.2.10: part before the abstracts */
#define PN_GRAPH_FIXED_REQUEST 16u
/* MS-PPGRH 2.2.2.10: least size sent, GA-20 */
#define PN_GRAPH_FIXED_REQUEST_SENT 20u
/* MS-PPGRH 2.2.2.11: part before the record */
#define PN_GRAPH_FIXED_FLOOD 12u
/* MS-PPGRH 3.1.5.2.10: least size of a FLOOD */
#define PN_GRAPH_FIXED_FLOOD_LEAST 16u
/* MS-PPGRH 2.2.2.12: the whole message */
#define PN_GRAPH_FIXED_SYNC_END 12u
/* MS-PPGRH 2.2.2.13: part before the data */
#define PN_GRAPH_FIXED_PT2PT 28u
/* MS-PPGRH 2.2.2.14: part before the acknowledgements */
#define PN_GRAPH_FIXED_ACK 12u

/* What the formats allow */
/* MS-PPGRH 2.2: Max Frame Size without a provider */
#define PN_GRAPH_BOUND_FRAME 16379u
/* MS-PPGRH 3.1.1: Max Frame Size under any provider */
#define PN_GRAPH_BOUND_FRAME_MOST 32768u
/* MS-PPGRH 2.2.1.9: characters of a Graph ID or Peer ID with its NUL */
#define PN_GRAPH_BOUND_ID_UNITS 256u
/* MS-PPGRH 2.2.1.9: likewise */
#define PN_GRAPH_BOUND_ID_UNITS_LEAST 2u
/* MS-PPGRH 2.2.3.1: characters of a friendly name with its NUL */
#define PN_GRAPH_BOUND_NAME_UNITS 256u
/* MS-PPGRH 2.2.3.1: characters of a comment with its NUL */
#define PN_GRAPH_BOUND_COMMENT_UNITS 512u
/* MS-PPGRH 2.2.3.1: least presence lifetime in seconds, if not 0 */
#define PN_GRAPH_BOUND_PRESENCE_LIFETIME 300u
/* MS-PPGRH 2.2.3.1: least Max Record Size, if not 0 */
#define PN_GRAPH_BOUND_RECORD_SIZE_LEAST 1024u
/* MS-PPGRH 2.2.3.1: largest Max Record Size */
#define PN_GRAPH_BOUND_RECORD_SIZE 62914560u

#endif
