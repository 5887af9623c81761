/* Generated from spec/fields/pnrp.tsv by spec/tools/generate.mjs (npm run generate). Do not edit. */
#ifndef PN_PNRP_CONST_H
#define PN_PNRP_CONST_H

/* FieldIDs of message elements */
/* MS-PNRP 2.2.1: first element of every message */
#define PN_FIELD_PNRP_HEADER 0x0010u
/* MS-PNRP 2.2: Message ID of the message answered */
#define PN_FIELD_PNRP_HEADER_ACKED 0x0018u
/* MS-PNRP 2.2: array element type: 32-byte PNRP ID */
#define PN_FIELD_PNRP_ID 0x0030u
/* MS-PNRP 2.2.2.8: the PNRP ID looked for */
#define PN_FIELD_TARGET_PNRP_ID 0x0038u
/* MS-PNRP 2.2: a PNRP ID of the node asked */
#define PN_FIELD_VALIDATE_PNRP_ID 0x0039u
/* MS-PNRP 2.2: flags of INQUIRE, AUTHORITY_BUFFER and ACK */
#define PN_FIELD_FLAGS_FIELD 0x0040u
/* MS-PNRP 2.2.2.4: flags of FLOOD */
#define PN_FIELD_FLOOD_CONTROLS 0x0043u
/* MS-PNRP 2.2.2.1: Solicit Type */
#define PN_FIELD_SOLICIT_CONTROLS 0x0044u
/* MS-PNRP 2.2.2.8: flags, precision, criteria, reason */
#define PN_FIELD_LOOKUP_CONTROLS 0x0045u
/* MS-PNRP 2.2.2.6.1: an EXTENDED_PAYLOAD structure */
#define PN_FIELD_EXTENDED_PAYLOAD 0x005Au
/* MS-PNRP 2.2: array of PNRP_ID */
#define PN_FIELD_PNRP_ID_ARRAY 0x0060u
/* MS-PNRP 2.2.2.6.1: PKCS #7 certificate chain */
#define PN_FIELD_CERT_CHAIN 0x0080u
/* MS-PNRP 2.2: array element type: 16-bit character unit */
#define PN_FIELD_WCHAR 0x0084u
/* MS-PNRP 2.2.2.6.1: array of WCHAR */
#define PN_FIELD_CLASSIFIER 0x0085u
/* MS-PNRP 2.2: SHA-1 of a nonce */
#define PN_FIELD_HASHED_NONCE 0x0092u
/* MS-PNRP 2.2: 16 random bytes */
#define PN_FIELD_NONCE 0x0093u
/* MS-PNRP 2.2.2.6: size and offset of an AUTHORITY_BUFFER slice */
#define PN_FIELD_SPLIT_CONTROLS 0x0098u
/* MS-PNRP 2.2: a ROUTE_ENTRY structure */
#define PN_FIELD_ROUTING_ENTRY 0x009Au
/* MS-PNRP 2.2.2.6.1: an Encoded CPA */
#define PN_FIELD_VALIDATE_CPA 0x009Bu
/* MS-PNRP 2.2.2.4: an Encoded CPA with R set */
#define PN_FIELD_REVOKE_CPA 0x009Cu
/* MS-PNRP 2.2: array element type: port and address */
#define PN_FIELD_IPV6_ENDPOINT 0x009Du
/* MS-PNRP 2.2: array of IPV6_ENDPOINT */
#define PN_FIELD_IPV6_ENDPOINT_ARRAY 0x009Eu

/* Message types */
/* MS-PNRP 2.2.2.1: opens a synchronization conversation */
#define PN_MESSAGE_SOLICIT 0x01u
/* MS-PNRP 2.2.2.2: answers SOLICIT with PNRP IDs */
#define PN_MESSAGE_ADVERTISE 0x02u
/* MS-PNRP 2.2.2.3: asks for route entries of advertised IDs */
#define PN_MESSAGE_REQUEST 0x03u
/* MS-PNRP 2.2.2.4: carries a route entry or a revoke CPA */
#define PN_MESSAGE_FLOOD 0x04u
/* MS-PNRP 2.2.2.5: asks whether an ID is registered, and for its CPA */
#define PN_MESSAGE_INQUIRE 0x07u
/* MS-PNRP 2.2.2.6: answers LOOKUP and INQUIRE */
#define PN_MESSAGE_AUTHORITY 0x08u
/* MS-PNRP 2.2.2.7: answers REQUEST and FLOOD */
#define PN_MESSAGE_ACK 0x09u
/* MS-PNRP 2.2.2.8: asks for a route entry nearer the target */
#define PN_MESSAGE_LOOKUP 0x0Bu

/* Fixed values */
/* MS-PNRP 2.2.1: fourth byte of the header */
#define PN_VALUE_IDENTIFIER 0x51u
/* MS-PNRP 2.2.1: protocol version in the header */
#define PN_VALUE_VERSION_MAJOR 4u
/* MS-PNRP 2.2.1: protocol version in the header */
#define PN_VALUE_VERSION_MINOR 0u
/* MS-PNRP 2.2.3.4: version in a ROUTE_ENTRY */
#define PN_VALUE_ROUTE_ENTRY_MAJOR 4u
/* MS-PNRP 2.2.3.4: version in a ROUTE_ENTRY */
#define PN_VALUE_ROUTE_ENTRY_MINOR 0u
/* MS-PNRP 2.2.3.1: CPA version */
#define PN_VALUE_CPA_MINOR 0u
/* MS-PNRP 2.2.3.1: CPA version */
#define PN_VALUE_CPA_MAJOR 2u
/* MS-PNRP 2.2.3.1: PNRP version in a CPA */
#define PN_VALUE_CPA_PNRP_MINOR 0u
/* MS-PNRP 2.2.3.1: PNRP version in a CPA */
#define PN_VALUE_CPA_PNRP_MAJOR 4u
/* MS-PNRP 2.2.3.3: version of an EXTENDED_PAYLOAD */
#define PN_VALUE_EXTENDED_PAYLOAD_MINOR 0u
/* MS-PNRP 2.2.3.3: version of an EXTENDED_PAYLOAD */
#define PN_VALUE_EXTENDED_PAYLOAD_MAJOR 2u
/* MS-PNRP 2.2.3.2: SHA-1 (CALG_SHA1) */
#define PN_VALUE_SIGNATURE_ALG_ID 0x00008004u
/* MS-PNRP 1.9: IANA port; a default, never assumed of a peer */
#define PN_VALUE_DEFAULT_PORT 3540u
/* MS-PNRP 3.1.5.2: lowest port accepted or emitted (N-05) */
#define PN_VALUE_MINIMUM_PORT 1025u

/* Solicit Type */
/* MS-PNRP 2.2.2.1: any entries, local and cached */
#define PN_SOLICIT_TYPE_ANY 0u
/* MS-PNRP 2.2.2.1: only locally registered IDs */
#define PN_SOLICIT_TYPE_LOCAL 1u

/* Flags of FLOOD */
/* MS-PNRP 2.2.2.4: do not acknowledge */
#define PN_FLOOD_FLAG_D 0x0001u

/* Flags of INQUIRE */
/* MS-PNRP 2.2.2.5: send the CPA */
#define PN_INQUIRE_FLAG_A 0x0010u
/* MS-PNRP 2.2.2.5: send the extended payload */
#define PN_INQUIRE_FLAG_X 0x0008u
/* MS-PNRP 2.2.2.5: send the certificate chain */
#define PN_INQUIRE_FLAG_C 0x0004u

/* Flags of AUTHORITY_BUFFER */
/* MS-PNRP 2.2.2.6.1: target not known here but would be in the leaf set */
#define PN_AUTHORITY_FLAG_L 0x0200u
/* MS-PNRP 2.2.2.6.1: too busy for the LOOKUP */
#define PN_AUTHORITY_FLAG_B 0x0008u
/* MS-PNRP 2.2.2.6.1: the Validate PNRP ID is not registered here */
#define PN_AUTHORITY_FLAG_N 0x0001u

/* Flags of ACK */
/* MS-PNRP 2.2.2.7: the Validate PNRP ID of the FLOOD is not registered here */
#define PN_ACK_FLAG_N 0x0001u

/* Flags of LOOKUP */
/* MS-PNRP 2.2.2.8: nodes not closer than Validate are welcome */
#define PN_LOOKUP_FLAG_A 0x0002u

/* Resolve Criteria */
/* MS-PNRP 2.2.2.8: all 256 bits */
#define PN_CRITERIA_NONE 0x00u
/* MS-PNRP 2.2.2.8: first 128 bits */
#define PN_CRITERIA_ANY_PEER_NAME 0x01u
/* MS-PNRP 2.2.2.8: nearest ID with the same first 128 bits */
#define PN_CRITERIA_NEAREST_PEER_NAME 0x02u
/* MS-PNRP 2.2.2.8: as NEAREST_PEER_NAME, satisfied by 192 bits */
#define PN_CRITERIA_NEAREST64_PEER_NAME 0x04u
/* MS-PNRP 2.2.2.8: first Precision bits */
#define PN_CRITERIA_UPPER_BITS 0x08u

/* Resolve Reason Code */
/* MS-PNRP 2.2.2.8: asked by an application */
#define PN_REASON_APP_REQUEST 0u
/* MS-PNRP 2.2.2.8: announces a registration */
#define PN_REASON_REGISTRATION 1u
/* MS-PNRP 2.2.2.8: fills the cache */
#define PN_REASON_CACHE_MAINTENANCE 2u
/* MS-PNRP 2.2.2.8: looks for a cloud split */
#define PN_REASON_SPLIT_DETECTION 3u

/* Flags of an Encoded CPA */
/* MS-PNRP 2.2.3.1: the publisher has an extended payload */
#define PN_CPA_FLAG_X 0x20u
/* MS-PNRP 2.2.3.1: a friendly name is present */
#define PN_CPA_FLAG_F 0x10u
/* MS-PNRP 2.2.3.1: a classifier hash is present */
#define PN_CPA_FLAG_C 0x08u
/* MS-PNRP 2.2.3.1: a binary authority is present */
#define PN_CPA_FLAG_A 0x04u
/* MS-PNRP 2.2.3.1: the friendly name is UTF-8 */
#define PN_CPA_FLAG_U 0x02u
/* MS-PNRP 2.2.3.1: revokes */
#define PN_CPA_FLAG_R 0x01u

/* Payload types */
/* MS-PNRP 2.2.3.1.2: PAYLOAD of a CPA: IPV6_APP_ENDPOINTs */
#define PN_PAYLOAD_TYPE_APP_ENDPOINTS 1u
/* MS-PNRP 2.2.3.3: EXTENDED_PAYLOAD: text */
#define PN_PAYLOAD_TYPE_STRING 0x80000002u
/* MS-PNRP 2.2.3.3: EXTENDED_PAYLOAD: bytes */
#define PN_PAYLOAD_TYPE_BINARY 0x80000003u

/* String Type of an EXTENDED_PAYLOAD */
/* MS-PNRP 2.2.3.3: UTF-16LE with NUL */
#define PN_STRING_TYPE_UNICODE 0u
/* MS-PNRP 2.2.3.3: UTF-8 with NUL */
#define PN_STRING_TYPE_UTF8 1u

/* Fixed lengths in bytes */
/* MS-PNRP 2.2: FieldID and Length */
#define PN_LENGTH_ELEMENT_HEADER 4u
/* MS-PNRP 2.2: elements start at multiples of this */
#define PN_LENGTH_ALIGNMENT 4u
/* MS-PNRP 2.2.1: PNRP_HEADER, whole */
#define PN_LENGTH_HEADER 12u
/* MS-PNRP 2.2: Length of PNRP_HEADER_ACKED */
#define PN_LENGTH_HEADER_ACKED 8u
/* MS-PNRP 2.2: Length of TARGET_PNRP_ID */
#define PN_LENGTH_TARGET_PNRP_ID 36u
/* MS-PNRP 2.2: Length of VALIDATE_PNRP_ID */
#define PN_LENGTH_VALIDATE_PNRP_ID 36u
/* MS-PNRP 2.2: Length of FLAGS_FIELD, 2 bytes of padding follow except in ACK */
#define PN_LENGTH_FLAGS_FIELD 6u
/* MS-PNRP 2.2.2.4: Length of FLOOD_CONTROLS, 1 byte of padding follows */
#define PN_LENGTH_FLOOD_CONTROLS 7u
/* MS-PNRP 2.2.2.1: Length of SOLICIT_CONTROLS, 2 bytes of padding follow */
#define PN_LENGTH_SOLICIT_CONTROLS 6u
/* MS-PNRP 2.2.2.8: Length of LOOKUP_CONTROLS, Reserved2 included */
#define PN_LENGTH_LOOKUP_CONTROLS 12u
/* MS-PNRP 2.2: Length of HASHED_NONCE */
#define PN_LENGTH_HASHED_NONCE 24u
/* MS-PNRP 2.2: Length of NONCE */
#define PN_LENGTH_NONCE 20u
/* MS-PNRP 2.2.2.6: Length of SPLIT_CONTROLS */
#define PN_LENGTH_SPLIT_CONTROLS 8u
/* MS-PNRP 2.2: Length of an array element without entries */
#define PN_LENGTH_ARRAY_HEADER 12u
/* MS-PNRP 2.2: ArrayLength of an array without entries */
#define PN_LENGTH_ARRAY_INNER 8u
/* MS-PNRP 2.2.2.6: AUTHORITY before its buffer slice */
#define PN_LENGTH_AUTHORITY_PREFIX 28u
/* MS-PNRP 2.2.3.4: ROUTE_ENTRY without addresses */
#define PN_LENGTH_ROUTE_ENTRY_FIXED 38u
/* MS-PNRP 2.2.3.6: port and address */
#define PN_LENGTH_IPV6_ENDPOINT 18u
/* MS-PNRP 2.2.3.4: an address */
#define PN_LENGTH_IPV6_ADDRESS 16u
/* MS-PNRP 1.3.1.2: P2P ID and service location */
#define PN_LENGTH_PNRP_ID 32u
/* MS-PNRP 1.3.1.2: first half of a PNRP ID */
#define PN_LENGTH_P2P_ID 16u
/* MS-PNRP 1.3.1.2: second half of a PNRP ID */
#define PN_LENGTH_SERVICE_LOCATION 16u
/* MS-PNRP 2.2.2.3: a nonce */
#define PN_LENGTH_NONCE_VALUE 16u
/* MS-PNRP 2.2.2.1: hashed nonce, authority, classifier hash */
#define PN_LENGTH_SHA1 20u
/* MS-PNRP 2.2.2.6.1: a character unit */
#define PN_LENGTH_WCHAR 2u
/* MS-PNRP 2.2.3.1: Encoded CPA up to and including Nonce */
#define PN_LENGTH_CPA_FIXED 48u
/* MS-PNRP 2.2.3.1: BinaryAuthority */
#define PN_LENGTH_BINARY_AUTHORITY 20u
/* MS-PNRP 2.2.3.1: ClassifierHash */
#define PN_LENGTH_CLASSIFIER_HASH 20u
/* MS-PNRP 2.2.3.1.4: CPA public key structure */
#define PN_LENGTH_CPA_PUBLIC_KEY 169u
/* MS-PNRP 2.2.3.1.4: ASCII of 1.2.840.113549.1.1.1 */
#define PN_LENGTH_PUBLIC_KEY_OID 20u
/* MS-PNRP 2.2.3.1.4: DER RSAPublicKey of 1024 bits */
#define PN_LENGTH_PUBLIC_KEY_DATA 140u
/* MS-PNRP 2.2.3.2: SIGNATURE structure */
#define PN_LENGTH_SIGNATURE 136u
/* MS-PNRP 2.2.3.2: signature bytes */
#define PN_LENGTH_SIGNATURE_DATA 128u
/* MS-PNRP 2.2.3.1.2: PAYLOAD without data */
#define PN_LENGTH_PAYLOAD_FIXED 6u
/* MS-PNRP 2.2.3.1.3: IPV6_APP_ENDPOINT */
#define PN_LENGTH_APP_ENDPOINT 20u
/* MS-PNRP 2.2.3.3: EXTENDED_PAYLOAD before its payload */
#define PN_LENGTH_EXTENDED_PAYLOAD_FIXED 74u
/* MS-PNRP 2.2.3.3: Total Payload Bytes without data */
#define PN_LENGTH_EXTENDED_PAYLOAD_INNER 10u

/* Offsets in bytes */
/* MS-PNRP 2.2.2.8: within LOOKUP */
#define PN_OFFSET_LOOKUP_FLAGS 16u
/* MS-PNRP 2.2.2.8: within LOOKUP */
#define PN_OFFSET_LOOKUP_PRECISION 18u
/* MS-PNRP 2.2.2.8: within LOOKUP */
#define PN_OFFSET_LOOKUP_CRITERIA 20u
/* MS-PNRP 2.2.2.8: within LOOKUP */
#define PN_OFFSET_LOOKUP_REASON 21u
/* MS-PNRP 2.2.2.8: the ID itself, within LOOKUP */
#define PN_OFFSET_LOOKUP_TARGET 28u
/* MS-PNRP 2.2.2.8: the ID itself, within LOOKUP */
#define PN_OFFSET_LOOKUP_VALIDATE 64u
/* MS-PNRP 2.2.2.8: first variable element of LOOKUP */
#define PN_OFFSET_LOOKUP_BODY 96u
/* MS-PNRP 2.2.3.4: within ROUTE_ENTRY */
#define PN_OFFSET_ROUTE_ENTRY_PORT 34u
/* MS-PNRP 2.2.3.4: within ROUTE_ENTRY */
#define PN_OFFSET_ROUTE_ENTRY_FLAGS 36u
/* MS-PNRP 2.2.3.4: within ROUTE_ENTRY */
#define PN_OFFSET_ROUTE_ENTRY_COUNT 37u
/* MS-PNRP 2.2.3.4: within ROUTE_ENTRY */
#define PN_OFFSET_ROUTE_ENTRY_ADDRESSES 38u
/* MS-PNRP 2.2.3.1: within an Encoded CPA */
#define PN_OFFSET_CPA_FLAGS 6u
/* MS-PNRP 2.2.3.1: within an Encoded CPA */
#define PN_OFFSET_CPA_NOT_AFTER 8u
/* MS-PNRP 2.2.3.1: within an Encoded CPA */
#define PN_OFFSET_CPA_SERVICE_LOCATION 16u
/* MS-PNRP 2.2.3.1: within an Encoded CPA */
#define PN_OFFSET_CPA_NONCE 32u
/* MS-PNRP 2.2.3.1: first variable field of an Encoded CPA */
#define PN_OFFSET_CPA_BODY 48u
/* MS-PNRP 2.2.3.3: within EXTENDED_PAYLOAD */
#define PN_OFFSET_EXTENDED_PAYLOAD_SIGNATURE_OFFSET 6u
/* MS-PNRP 2.2.3.3: within EXTENDED_PAYLOAD */
#define PN_OFFSET_EXTENDED_PAYLOAD_NOT_AFTER 8u
/* MS-PNRP 2.2.3.3: within EXTENDED_PAYLOAD, byte-reversed */
#define PN_OFFSET_EXTENDED_PAYLOAD_PNRP_ID 16u
/* MS-PNRP 2.2.3.3: within EXTENDED_PAYLOAD */
#define PN_OFFSET_EXTENDED_PAYLOAD_NONCE 48u
/* MS-PNRP 2.2.3.3: within EXTENDED_PAYLOAD */
#define PN_OFFSET_EXTENDED_PAYLOAD_NUM_PAYLOADS 64u
/* MS-PNRP 2.2.3.3: within EXTENDED_PAYLOAD */
#define PN_OFFSET_EXTENDED_PAYLOAD_TOTAL 66u
/* MS-PNRP 2.2.3.3: within EXTENDED_PAYLOAD */
#define PN_OFFSET_EXTENDED_PAYLOAD_TYPE 68u
/* MS-PNRP 2.2.3.3: within EXTENDED_PAYLOAD */
#define PN_OFFSET_EXTENDED_PAYLOAD_LENGTH 72u
/* MS-PNRP 2.2.3.3: within EXTENDED_PAYLOAD */
#define PN_OFFSET_EXTENDED_PAYLOAD_DATA 74u

/* Limits */
/* MS-PNRP 3.2.5.10: largest normal datagram: AUTHORITY prefix and one fragment */
#define PN_LIMIT_DATAGRAM 1216u
/* MS-PNRP 3.2.5.10: bytes of AUTHORITY_BUFFER in one AUTHORITY */
#define PN_LIMIT_FRAGMENT 1188u
/* MS-PNRP 2.2.2.6: 0x91E4, largest complete AUTHORITY_BUFFER */
#define PN_LIMIT_AUTHORITY_BUFFER 37348u
/* MS-PNRP 2.2.2.6: fragments of the largest AUTHORITY_BUFFER */
#define PN_LIMIT_FRAGMENTS 32u
/* MS-PNRP 2.2: entries of any array that still fit Length (N-22) */
#define PN_LIMIT_ARRAY_ENTRIES 2047u
/* MS-PNRP 2.2.2.2: PNRP IDs in an ADVERTISE of at most 1232 bytes */
#define PN_LIMIT_ADVERTISE_IDS 36u
/* MS-PNRP 2.2.2.3: PNRP IDs in a REQUEST of at most 1232 bytes */
#define PN_LIMIT_REQUEST_IDS 37u
/* MS-PNRP 2.2.3.4: addresses in a ROUTE_ENTRY */
#define PN_LIMIT_ROUTE_ENTRY_ADDRESSES 20u
/* MS-PNRP 2.2.2.4: entries of an Already Flooded List */
#define PN_LIMIT_FLOODED_LIST 22u
/* MS-PNRP 2.2.2.8: entries of a Flagged Path */
#define PN_LIMIT_FLAGGED_PATH 22u
/* MS-PNRP 2.2.4: character units of a classifier */
#define PN_LIMIT_CLASSIFIER_UNITS 149u
/* MS-PNRP 2.2.3.1: service addresses in a CPA */
#define PN_LIMIT_SERVICE_ADDRESSES 4u
/* MS-PNRP 2.2.3.1: PAYLOADs in a CPA */
#define PN_LIMIT_CPA_PAYLOADS 1u
/* MS-PNRP 2.2.3.1.2: IPV6_APP_ENDPOINTs in a PAYLOAD */
#define PN_LIMIT_APP_ENDPOINTS 10u
/* MS-PNRP 2.2.3.1: bytes of a friendly name */
#define PN_LIMIT_FRIENDLY_NAME 78u
/* MS-PNRP 2.2.3.1: smallest Encoded CPA (a revoke) */
#define PN_LIMIT_CPA_MINIMUM 381u
/* MS-PNRP 2.2.3.1: largest Encoded CPA */
#define PN_LIMIT_CPA_MAXIMUM 759u
/* MS-PNRP 2.2.3.3: PayloadLength of the shortest string */
#define PN_LIMIT_EXTENDED_PAYLOAD_STRING_MINIMUM 6u
/* MS-PNRP 2.2.3.3: PayloadLength of the longest string */
#define PN_LIMIT_EXTENDED_PAYLOAD_STRING 4098u
/* MS-PNRP 2.2.3.3: PayloadLength of the longest binary payload */
#define PN_LIMIT_EXTENDED_PAYLOAD_BINARY 4096u
/* MS-PNRP 2.2.3.3: largest EXTENDED_PAYLOAD */
#define PN_LIMIT_EXTENDED_PAYLOAD 4308u
/* MS-PNRP 2.2.3.5: certificates in a chain */
#define PN_LIMIT_CERTIFICATES 25u

#endif
