#include "core/pnrp_split.h"

#include "core/assert.h"
#include "core/limits.h"
#include "core/pnrp_msg.h"

#define NO_SLOT 0xffffu

typedef struct {
  uint8_t source[PN_LENGTH_IPV6_ENDPOINT];
  uint16_t in_use;
  uint32_t message_id;
  uint32_t acked_message_id;
  uint32_t size;
  uint32_t received; /* fragments, one bit each */
  uint16_t slots[PN_LIMIT_FRAGMENTS];
} context_t;

struct pn_split {
  uint32_t context_count;
  uint32_t slot_count;
  uint32_t per_source;
  uint32_t slots_per_address;
  uint32_t contexts_in_use;
  uint32_t slots_in_use;
  /* context_t[context_count], then a byte per slot (taken or not), then the slots */
};

static uint32_t taken_offset(uint32_t contexts) {
  return (uint32_t)sizeof(pn_split_t) + contexts * (uint32_t)sizeof(context_t);
}

static context_t *context_at(pn_split_t *split, uint32_t index) {
  return (context_t *)(void *)((uint8_t *)split + sizeof(pn_split_t)) + index;
}

static uint8_t *taken(pn_split_t *split) {
  return (uint8_t *)split + taken_offset(split->context_count);
}

static uint8_t *slot_at(pn_split_t *split, uint32_t index) {
  PN_ASSERT(index < split->slot_count);
  return taken(split) + split->slot_count + index * PN_LIMIT_FRAGMENT;
}

uint32_t pn_split_bytes(uint32_t contexts, uint32_t slots) {
  if (contexts == 0 || contexts > PN_LIMIT_SPLIT_CONTEXTS || slots == 0 ||
      slots > PN_LIMIT_SPLIT_SLOTS)
    return 0;
  return taken_offset(contexts) + slots * (1 + PN_LIMIT_FRAGMENT);
}

pn_split_t *pn_split_init(void *memory, uint32_t contexts, uint32_t slots, uint32_t per_source,
                          uint32_t slots_per_address) {
  PN_ASSERT(pn_split_bytes(contexts, slots) != 0 && (uintptr_t)memory % sizeof(uint32_t) == 0);
  pn_split_t *split = memory;
  split->context_count = contexts;
  split->slot_count = slots;
  split->per_source = per_source;
  split->slots_per_address = slots_per_address;
  pn_split_clear(split);
  return split;
}

pn_split_t *pn_split_at(void *memory, uint32_t length) {
  pn_split_t *split = memory;
  if (length < sizeof *split || (uintptr_t)memory % sizeof(uint32_t) != 0)
    return NULL;
  uint32_t bytes = pn_split_bytes(split->context_count, split->slot_count);
  return bytes != 0 && bytes <= length ? split : NULL;
}

void pn_split_clear(pn_split_t *split) {
  /* the slots themselves stay as they are: nothing reads one before it is written */
  memset(context_at(split, 0), 0, split->context_count * sizeof(context_t));
  memset(taken(split), 0, split->slot_count);
  split->contexts_in_use = split->slots_in_use = 0;
}

uint32_t pn_split_contexts(const pn_split_t *split) {
  return split->contexts_in_use;
}

uint32_t pn_split_slots(const pn_split_t *split) {
  return split->slots_in_use;
}

static uint32_t fragments_of(uint32_t size) {
  return (size + PN_LIMIT_FRAGMENT - 1) / PN_LIMIT_FRAGMENT;
}

static void end_context(pn_split_t *split, context_t *context) {
  for (uint32_t i = 0; i < fragments_of(context->size); i++) {
    if ((context->received >> i & 1) == 0)
      continue;
    taken(split)[context->slots[i]] = 0;
    split->slots_in_use--;
  }
  context->in_use = 0;
  split->contexts_in_use--;
}

static context_t *find(pn_split_t *split, const pn_fragment_t *fragment) {
  for (uint32_t i = 0; split->contexts_in_use > 0 && i < split->context_count; i++) {
    context_t *context = context_at(split, i);
    if (context->in_use && context->message_id == fragment->message_id &&
        memcmp(context->source, fragment->source, sizeof context->source) == 0)
      return context;
  }
  return NULL;
}

void pn_split_drop(pn_split_t *split, uint32_t acked_message_id) {
  for (uint32_t i = 0; split->contexts_in_use > 0 && i < split->context_count; i++) {
    context_t *context = context_at(split, i);
    if (context->in_use && context->acked_message_id == acked_message_id)
      end_context(split, context);
  }
}

/* A context for a fragment that none is there for, or why there can be none. */
static pn_err_t open_context(pn_split_t *split, const pn_fragment_t *fragment, context_t **out) {
  context_t *unused = NULL;
  uint32_t of_source = 0;
  pn_split_drop(split, fragment->acked_message_id);
  if (split->slots_in_use == split->slot_count)
    return PN_ERR_REASSEMBLY_FULL;
  for (uint32_t i = 0; i < split->context_count; i++) {
    context_t *context = context_at(split, i);
    if (!context->in_use)
      unused = unused == NULL ? context : unused;
    else if (memcmp(context->source, fragment->source, sizeof context->source) == 0)
      of_source++;
  }
  if (of_source >= split->per_source)
    return PN_ERR_REASSEMBLY_SOURCE_FULL;
  if (unused == NULL)
    return PN_ERR_REASSEMBLY_FULL;
  memcpy(unused->source, fragment->source, sizeof unused->source);
  unused->in_use = 1;
  unused->message_id = fragment->message_id;
  unused->acked_message_id = fragment->acked_message_id;
  unused->size = fragment->size;
  unused->received = 0;
  split->contexts_in_use++;
  *out = unused;
  return PN_OK;
}

/* Has this address, by all its ports together, as many slots as it may? */
static bool has_its_share(pn_split_t *split, const uint8_t *source) {
  const size_t port = PN_LENGTH_IPV6_ENDPOINT - PN_LENGTH_IPV6_ADDRESS;
  uint32_t slots = 0;
  if (split->slots_in_use < split->slots_per_address)
    return false;
  for (uint32_t i = 0; i < split->context_count; i++) {
    const context_t *context = context_at(split, i);
    if (!context->in_use ||
        memcmp(context->source + port, source + port, PN_LENGTH_IPV6_ADDRESS) != 0)
      continue;
    for (uint32_t left = context->received; left != 0; left &= left - 1)
      slots++;
  }
  return slots >= split->slots_per_address;
}

static uint32_t take_slot(pn_split_t *split) {
  uint8_t *map = taken(split);
  for (uint32_t i = 0; i < split->slot_count; i++) {
    if (map[i] != 0)
      continue;
    map[i] = 1;
    split->slots_in_use++;
    return i;
  }
  return NO_SLOT;
}

static void copy_out(pn_split_t *split, const context_t *context, uint8_t *out) {
  for (uint32_t at = 0, i = 0; at < context->size; at += PN_LIMIT_FRAGMENT, i++) {
    uint32_t left = context->size - at;
    memcpy(out + at, slot_at(split, context->slots[i]),
           left < PN_LIMIT_FRAGMENT ? left : PN_LIMIT_FRAGMENT);
  }
}

/* What is wrong with the fragment by itself; fragments that are whole buffers belong elsewhere. */
static pn_err_t judge(const pn_fragment_t *fragment) {
  if (fragment->size > PN_LIMIT_AUTHORITY_BUFFER)
    return PN_ERR_FRAGMENT_OVERRUN;
  if (fragment->offset % PN_LIMIT_FRAGMENT != 0 || fragment->slice.size == 0 ||
      fragment->slice.size > PN_LIMIT_FRAGMENT)
    return PN_ERR_FRAGMENT_NOT_FULL;
  return pn_msg_slice_fits(fragment->size, fragment->offset, fragment->slice.size);
}

pn_err_t pn_split_accept(pn_split_t *split, const pn_fragment_t *fragment, uint8_t *out,
                         uint32_t *complete) {
  context_t *context = find(split, fragment);
  pn_err_t code = judge(fragment);
  *complete = 0;
  if (context != NULL && code != PN_ERR_FRAGMENT_OVERRUN && fragment->size != context->size)
    code = PN_ERR_FRAGMENT_SIZE_CHANGED;
  if (context != NULL && (code == PN_ERR_FRAGMENT_OVERRUN || code == PN_ERR_FRAGMENT_SIZE_CHANGED))
    end_context(split, context);
  if (code != PN_OK)
    return code;
  if (context == NULL && (code = open_context(split, fragment, &context)) != PN_OK)
    return code;
  uint32_t index = fragment->offset / PN_LIMIT_FRAGMENT;
  if ((context->received >> index & 1) != 0)
    return PN_ERR_FRAGMENT_DUPLICATE;
  if (has_its_share(split, fragment->source))
    return PN_ERR_REASSEMBLY_SOURCE_FULL;
  uint32_t slot = take_slot(split);
  if (slot == NO_SLOT)
    return PN_ERR_REASSEMBLY_FULL;
  memcpy(slot_at(split, slot), fragment->slice.base, fragment->slice.size);
  context->slots[index] = (uint16_t)slot;
  context->received |= 1u << index;
  if (context->received != 0xffffffffu >> (PN_LIMIT_FRAGMENTS - fragments_of(context->size)))
    return PN_OK;
  *complete = context->size;
  copy_out(split, context, out);
  end_context(split, context);
  return PN_OK;
}
