// A WS-Discovery client made of gSOAP's own: sends one probe to the IPv4 group and prints what it
// makes of the answer, a field a line. Exit status 0: it was answered.
//
//   probe OWN-ADDRESS TYPES SCOPES MATCH-BY
#include <arpa/inet.h>
#include <stdio.h>
#include "soapH.h"
#include "plugin/wsddapi.h"

SOAP_NMAC struct Namespace namespaces[] = {
    {"SOAP-ENV", "http://www.w3.org/2003/05/soap-envelope", NULL, NULL},
    {"SOAP-ENC", "http://www.w3.org/2003/05/soap-encoding", NULL, NULL},
    {"xsi", "http://www.w3.org/2001/XMLSchema-instance", NULL, NULL},
    {"xsd", "http://www.w3.org/2001/XMLSchema", NULL, NULL},
    {"wsa", "http://schemas.xmlsoap.org/ws/2004/08/addressing", NULL, NULL},
    {"wsdd", "http://schemas.xmlsoap.org/ws/2005/04/discovery", NULL, NULL},
    {"PeerDist", "http://schemas.microsoft.com/p2p/2007/09/PeerDistributionDiscovery", NULL, NULL},
    {NULL, NULL, NULL, NULL}};

static int answers;

static void print(const char *name, const char *text) {
  printf("%s=%s\n", name, text != NULL ? text : "");
}

void wsdd_event_ProbeMatches(struct soap *soap, unsigned int InstanceId, const char *SequenceId,
                             unsigned int MessageNumber, const char *MessageID,
                             const char *RelatesTo, struct wsdd__ProbeMatchesType *matches) {
  (void)soap;
  (void)SequenceId;
  printf("InstanceId=%u\nMessageNumber=%u\n", InstanceId, MessageNumber);
  print("MessageID", MessageID);
  print("RelatesTo", RelatesTo);
  for (int i = 0; matches != NULL && i < matches->__sizeProbeMatch; i++) {
    const struct wsdd__ProbeMatchType *match = &matches->ProbeMatch[i];
    print("Address", match->wsa__EndpointReference.Address);
    print("Types", match->Types);
    print("Scopes", match->Scopes != NULL ? match->Scopes->__item : NULL);
    print("XAddrs", match->XAddrs);
    printf("MetadataVersion=%u\n", match->MetadataVersion);
    answers++;
  }
}

// The library wants all handlers; nothing of this comes.
void wsdd_event_Hello(struct soap *soap, unsigned int InstanceId, const char *SequenceId,
                      unsigned int MessageNumber, const char *MessageID, const char *RelatesTo,
                      const char *EndpointReference, const char *Types, const char *Scopes,
                      const char *MatchBy, const char *XAddrs, unsigned int MetadataVersion) {}

void wsdd_event_Bye(struct soap *soap, unsigned int InstanceId, const char *SequenceId,
                    unsigned int MessageNumber, const char *MessageID, const char *RelatesTo,
                    const char *EndpointReference, const char *Types, const char *Scopes,
                    const char *MatchBy, const char *XAddrs, unsigned int *MetadataVersion) {}

soap_wsdd_mode wsdd_event_Probe(struct soap *soap, const char *MessageID, const char *ReplyTo,
                                const char *Types, const char *Scopes, const char *MatchBy,
                                struct wsdd__ProbeMatchesType *matches) {
  return SOAP_WSDD_ADHOC;
}

soap_wsdd_mode wsdd_event_Resolve(struct soap *soap, const char *MessageID, const char *ReplyTo,
                                  const char *EndpointReference,
                                  struct wsdd__ResolveMatchType *match) {
  return SOAP_WSDD_ADHOC;
}

void wsdd_event_ResolveMatches(struct soap *soap, unsigned int InstanceId, const char *SequenceId,
                               unsigned int MessageNumber, const char *MessageID,
                               const char *RelatesTo, struct wsdd__ResolveMatchType *match) {}

int SOAP_ENV__Fault(struct soap *soap, char *faultcode, char *faultstring, char *faultactor,
                    struct SOAP_ENV__Detail *detail, struct SOAP_ENV__Code *SOAP_ENV__Code,
                    struct SOAP_ENV__Reason *SOAP_ENV__Reason, char *SOAP_ENV__Node,
                    char *SOAP_ENV__Role, struct SOAP_ENV__Detail *SOAP_ENV__Detail) {
  return SOAP_OK;
}

int main(int argc, char **argv) {
  if (argc != 5) return 2;
  struct in_addr own;
  if (inet_pton(AF_INET, argv[1], &own) != 1) return 2;
  struct soap *soap = soap_new1(SOAP_IO_UDP);
  soap->ipv4_multicast_if = (char *)&own;
  soap->connect_flags = SO_BROADCAST;
  soap->recv_timeout = 5;
  const char *id = soap_wsa_rand_uuid(soap);
  print("Probe", id);
  int status = soap_wsdd_Probe(soap, SOAP_WSDD_MANAGED, SOAP_WSDD_TO_TS,
                               "soap.udp://239.255.255.250:3702", id, NULL, argv[2], argv[3],
                               argv[4]);
  if (status != SOAP_OK) soap_print_fault(soap, stderr);
  soap_destroy(soap);
  soap_end(soap);
  soap_free(soap);
  return status == SOAP_OK && answers > 0 ? 0 : 1;
}
