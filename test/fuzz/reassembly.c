/* Sequences of fragments. The bytes of a slice follow from its sender, Message ID and place, so a
 * completed buffer can be compared with what was sent; a plain table beside the reassembly knows
 * which slices each context may hold. The block has its exact size. */
#include <stdlib.h>

#include "support/codec.h"

#include "core/pnrp_split.h"

typedef struct {
  const uint8_t *data;
  size_t left;
} input_t;

static uint32_t take(input_t *input) {
  if (input->left == 0)
    return 0;
  input->left--;
  return *input->data++;
}

static uint8_t content(const pn_fragment_t *fragment, uint32_t at) {
  return (uint8_t)(fragment->source[0] * 3 + fragment->message_id * 7 + fragment->size + at * 31 +
                   (at >> 8));
}

/* Few senders, IDs and sizes, so that fragments meet; now and then numbers that cannot be. */
static void take_fragment(input_t *input, pn_fragment_t *fragment, uint8_t *slice) {
  static const uint32_t sizes[] = {1189, 2376, 3000, 5000, 37348, 37349, 6, 0};
  memset(fragment, 0, sizeof *fragment);
  uint32_t who = take(input), where = take(input);
  fragment->source[0] = who & 3;
  fragment->message_id = who >> 2 & 7;
  fragment->acked_message_id = fragment->message_id ^ (who >> 7);
  fragment->size = sizes[where & 7];
  fragment->offset = (where >> 3) * PN_LIMIT_FRAGMENT;
  uint32_t shape = take(input);
  uint32_t left = fragment->size > fragment->offset ? fragment->size - fragment->offset : 0;
  uint32_t length = left < PN_LIMIT_FRAGMENT ? left : PN_LIMIT_FRAGMENT;
  if (shape > 0xf0)
    length += shape & 7;
  if (shape > 0xe8 && shape < 0xf0)
    fragment->offset += shape & 7;
  for (uint32_t i = 0; i < length; i++)
    slice[i] = content(fragment, fragment->offset + i);
  fragment->slice = (pn_bytes_t){slice, length};
}

static void accept(pn_split_t *split, input_t *input, uint32_t contexts, uint32_t slots) {
  static uint8_t slice[PN_LIMIT_FRAGMENT + 8], out[PN_LIMIT_AUTHORITY_BUFFER];
  pn_fragment_t fragment;
  uint32_t complete;
  take_fragment(input, &fragment, slice);
  pn_err_t code = pn_split_accept(split, &fragment, out, &complete);
  PN_ASSERT(code < PN_ERR_COUNT);
  PN_ASSERT(pn_split_contexts(split) <= contexts && pn_split_slots(split) <= slots);
  PN_ASSERT(complete == 0 || (code == PN_OK && complete == fragment.size));
  for (uint32_t i = 0; i < complete; i++)
    PN_ASSERT(out[i] == content(&fragment, i));
  /* the last slice of a buffer that has only one gap cannot be refused as a duplicate at once
   * after another completed it: a new context has begun */
  if (complete > 0)
    PN_ASSERT(pn_split_accept(split, &fragment, out, &complete) != PN_ERR_FRAGMENT_DUPLICATE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  input_t input = {data, size};
  uint32_t contexts = 1 + (take(&input) & 7), slots = 1 + (take(&input) & 63);
  void *memory = malloc(pn_split_bytes(contexts, slots));
  if (memory == NULL)
    return 0;
  memset(memory, 0xee, pn_split_bytes(contexts, slots));
  pn_split_t *split = pn_split_init(memory, contexts, slots, 1 + (take(&input) & 7),
                                    1 + slots / 2);
  while (input.left > 0) {
    uint32_t operation = take(&input);
    if (operation < 0xf0)
      accept(split, &input, contexts, slots);
    else if (operation < 0xfc)
      pn_split_drop(split, take(&input) & 7);
    else
      pn_split_clear(split);
  }
  pn_split_clear(split);
  PN_ASSERT(pn_split_contexts(split) == 0 && pn_split_slots(split) == 0);
  free(memory);
  return 0;
}
